// A Table is rows of short texts for people, fitted to the width of a terminal.  Plain value.
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
  bool right = false;  // aligned to the right, as numbers are
  // What gives way where the terminal is narrow: columns are cut down to `least` (0: not cut), then
  // those of the highest `rank` are left out; rank 0 stays.  Of the others, a column without a text
  // in any row is left out always.  Below `wanted` a column is cut only when all of a higher rank
  // are left out.
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

  // The title line and one line per row, none wider than the terminal, without line ends.
  std::vector<std::string> Render(const Terminal& terminal) const;

  // Writes what Render gives for stdout's terminal to stdout.
  void Print() const;

 private:
  // Width per column; -1: left out.
  std::vector<int> Fit(int width) const;
  // False where the columns that `widths` has cannot be cut to it.
  bool Shrink(int width, bool below_wanted, std::vector<int>* widths) const;
  // The column to leave out next; -1: none.
  int NextToLeaveOut(const std::vector<int>& widths) const;
  // Whether column `next` is left out before any is cut below what it wants.
  bool OthersGoFirst(int next) const;
  std::string RenderRow(const std::vector<Cell>& cells, const std::vector<int>& widths,
                        const Terminal& terminal) const;

  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace mozgach
