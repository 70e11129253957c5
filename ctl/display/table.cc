#include "ctl/display/table.h"

#include <algorithm>
#include <cassert>

#include "absl/strings/str_cat.h"

namespace mozgach {
namespace {

constexpr int kGap = 2;

const char* CodeOf(Tone tone) {
  switch (tone) {
    case Tone::kGood:
      return "\x1b[32m";
    case Tone::kBad:
      return "\x1b[31m";
    case Tone::kActive:
      return "\x1b[36m";
    case Tone::kFaint:
      return "\x1b[2m";
    case Tone::kPlain:
      break;
  }
  return "";
}

int TotalWidth(const std::vector<int>& widths) {
  int total = -kGap;
  for (const int width : widths) {
    if (width >= 0) total += width + kGap;
  }
  return total;
}

}  // namespace

void Table::AddRow(std::vector<Cell> cells) {
  assert(cells.size() == columns_.size());
  rows_.push_back(std::move(cells));
}

int Table::NextToLeaveOut(const std::vector<int>& widths) const {
  int next = -1;
  for (size_t i = 0; i < columns_.size(); ++i) {
    const bool can = columns_[i].rank > 0 && widths[i] >= 0;
    if (can && (next < 0 || columns_[i].rank > columns_[next].rank)) next = static_cast<int>(i);
  }
  return next;
}

bool Table::OthersGoFirst(int next) const {
  return next >= 0 && std::any_of(columns_.begin(), columns_.end(), [&](const Column& column) {
           return column.wanted > 0 && column.rank < columns_[next].rank;
         });
}

bool Table::Shrink(int width, bool below_wanted, std::vector<int>* widths) const {
  while (TotalWidth(*widths) > width) {
    int widest = -1;
    for (size_t i = 0; i < columns_.size(); ++i) {
      const Column& column = columns_[i];
      const int least = below_wanted ? column.least : std::max(column.least, column.wanted);
      const bool can = column.least > 0 && (*widths)[i] > least;
      if (can && (widest < 0 || (*widths)[i] > (*widths)[widest])) widest = static_cast<int>(i);
    }
    if (widest < 0) return false;
    --(*widths)[widest];
  }
  return true;
}

std::vector<int> Table::Fit(int width) const {
  std::vector<int> natural;
  for (size_t i = 0; i < columns_.size(); ++i) {
    natural.push_back(DisplayWidth(columns_[i].title));
    bool filled = false;
    for (const auto& row : rows_) {
      filled = filled || !row[i].text.empty();
      natural[i] = std::max(natural[i], DisplayWidth(Clip(row[i].text, 0)));
    }
    if (!filled && columns_[i].rank > 0 && !rows_.empty()) natural[i] = -1;
  }
  if (width == 0) return natural;
  for (;;) {
    std::vector<int> widths = natural;
    const int dropped = NextToLeaveOut(natural);
    if (Shrink(width, /*below_wanted=*/false, &widths)) return widths;
    if (!OthersGoFirst(dropped) && Shrink(width, /*below_wanted=*/true, &widths)) return widths;
    if (dropped < 0) return widths;
    natural[dropped] = -1;
  }
}

std::string Table::RenderRow(const std::vector<Cell>& cells, const std::vector<int>& widths,
                             const Terminal& terminal) const {
  std::string line;
  int used = 0;  // terminal columns, without trailing blanks
  int pending = 0;
  for (size_t i = 0; i < cells.size(); ++i) {
    if (widths[i] < 0) continue;
    const int left = terminal.width - used - pending;
    const int room = terminal.width == 0 ? widths[i] : std::min(widths[i], left);
    if (room <= 0) break;
    const std::string text = Clip(cells[i].text, room);
    const int blank = room - DisplayWidth(text);
    if (columns_[i].right) pending += blank;
    if (!text.empty()) {
      line.append(static_cast<size_t>(std::max(0, pending)), ' ');
      used += pending + DisplayWidth(text);
      const char* code = terminal.colour ? CodeOf(cells[i].tone) : "";
      absl::StrAppend(&line, code, text, *code == '\0' ? "" : "\x1b[0m");
      pending = 0;
    }
    if (!columns_[i].right) pending += blank;
    pending += kGap;
  }
  return line;
}

std::vector<std::string> Table::Render(const Terminal& terminal) const {
  const std::vector<int> widths = Fit(terminal.width);
  std::vector<Cell> titles;
  for (const Column& column : columns_) titles.emplace_back(column.title, Tone::kFaint);
  std::vector<std::string> lines = {RenderRow(titles, widths, terminal)};
  for (const auto& row : rows_) lines.push_back(RenderRow(row, widths, terminal));
  return lines;
}

void Table::Print() const {
  for (const std::string& line : Render(TerminalOf(stdout))) std::printf("%s\n", line.c_str());
}

}  // namespace mozgach
