// A Table prints rows of short texts, fitted to the width of a terminal. Plain value.
#pragma once

#include <string>
#include <vector>

#include "ctl/local/terminal.h"

namespace mozgach {

enum class Tone { kPlain, kGood, kBad, kActive, kFaint };

struct Cell {
  Cell(std::string text, Tone tone = Tone::kPlain) : text(std::move(text)), tone(tone) {}
  Cell(const char* text) : text(text) {}

  std::string text;
  Tone tone = Tone::kPlain;
};

struct Column {
  std::string title;
  bool right = false;  // right-aligned, for numbers
  // How the table fits a narrow terminal: columns are cut down to `least` (0: not cut), then those
  // with the highest `rank` are left out. Columns of rank 0 always stay; other columns are left out
  // if they are empty in all rows. A column is cut below `wanted` only after all columns of a
  // higher rank are left out.
  int least = 0;
  int wanted = 0;
  int rank = 0;
};

class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // REQUIRES: one cell per column.
  void AddRow(std::vector<Cell> cells);
  size_t rows() const { return rows_.size(); }

  // Returns the title line and one line per row, not wider than the terminal, without line ends.
  std::vector<std::string> Render(const Terminal& terminal) const;

  // Prints the table to stdout, rendered for stdout's terminal.
  void Print() const;

 private:
  // Returns the width of each column; -1: left out.
  std::vector<int> Fit(int width) const;
  // Cuts the columns in `widths` until they fit `width`. Returns false if they cannot be cut that
  // far.
  bool Shrink(int width, bool below_wanted, std::vector<int>* widths) const;
  // Returns the column to leave out next; -1: none.
  int NextToLeaveOut(const std::vector<int>& widths) const;
  // Returns true if column `next` must be left out before another column is cut below its `wanted`
  // width.
  bool OthersGoFirst(int next) const;
  std::string RenderRow(const std::vector<Cell>& cells, const std::vector<int>& widths,
                        const Terminal& terminal) const;

  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace mozgach
