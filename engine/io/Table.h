#pragma once

#include "core/Error.h"

#include <QByteArray>
#include <QString>
#include <QStringList>
#include <cstdint>
#include <opencv2/core.hpp>
#include <variant>
#include <vector>

namespace blendscope {

/// One column of a table in memory.
struct TableColumn {
    using Integers = std::vector<std::int32_t>;
    using Floats = std::vector<float>;
    using Doubles = std::vector<double>;
    /// Variable-length arrays: the matrices (CV_32F) of a row one after the other. FITS only.
    using Arrays = std::vector<std::vector<cv::Mat>>;

    QString name;
    QString unit;
    std::variant<Integers, Floats, Doubles, QStringList, Arrays> values;
    int decimals = -1; ///< in CSV; -1 = as many significant digits as the type holds

    [[nodiscard]] bool isText() const { return std::holds_alternative<QStringList>(values); }
    [[nodiscard]] qsizetype rows() const;
    /// Text as number; NaN where it is none, or for arrays.
    [[nodiscard]] double number(qsizetype row) const;
    [[nodiscard]] QString text(qsizetype row) const; ///< as in CSV, not quoted; "nan" for NaN
};

/// Columns of one length.
struct Table {
    QString name;
    std::vector<TableColumn> columns;

    [[nodiscard]] qsizetype rows() const { return columns.empty() ? 0 : columns.front().rows(); }
    [[nodiscard]] const TableColumn* find(const QString& column) const; ///< case-insensitive; null if absent
};

/// CSV after RFC 4180, a line a row, the header first. Names of text columns are quoted and others are not: a reader
/// that takes every bare name for a number is left with numbers.
[[nodiscard]] QStringList csvLines(const Table& table, bool withHeader = true);

/// All columns come as text (TableColumn::number converts). Lines that begin with # are skipped. Throws ReadError that
/// names the line for rows of another length than the header's.
[[nodiscard]] Table parseCsv(const QByteArray& csv);

/// One text of several that csvLines made: one header, the union of the columns in order of appearance; what a table
/// lacks is nan, or empty in text columns. Throws ReadError.
[[nodiscard]] QStringList joinCsv(const std::vector<QStringList>& tables);

} // namespace blendscope
