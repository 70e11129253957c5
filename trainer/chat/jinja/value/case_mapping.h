// Case mapping as in Python's str methods: ß becomes SS, İ becomes i and a dot, a capital sigma at
// the end of a word becomes ς. Text keeps the origin of every part. Pure functions.
#pragma once

#include "trainer/chat/jinja/value/text.h"

namespace mozgach::jinja {

Text Upper(const Text& text);
Text Lower(const Text& text);
Text Capitalize(const Text& text);   // str.capitalize()
Text TitleMethod(const Text& text);  // str.title(): a word begins after any character but a letter
Text TitleFilter(const Text& text);  // Jinja's title: a word begins after white space and -({[<

bool IsLowerText(const Text& text);  // str.islower()
bool IsUpperText(const Text& text);  // str.isupper()

}  // namespace mozgach::jinja
