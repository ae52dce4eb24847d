#pragma once

#include <QString>
#include <cstddef>
#include <vector>

namespace blendscope {

/// One column of a FITS table: one of the three vectors is filled, as `type` says.
struct FitsColumn {
    enum class Type { Double, Float, Int32, Int64, Bool, Text, FloatArray };
    QString name;
    QString unit;
    Type type = Type::Double;
    std::vector<double> numbers;            ///< Double, Float, Int32, Int64, Bool; NaN = null
    std::vector<QString> texts;             ///< Text
    std::vector<std::vector<float>> arrays; ///< FloatArray: variable length

    [[nodiscard]] bool isNumeric() const { return type != Type::Text && type != Type::FloatArray; }
};

/// A FITS binary table in memory.
struct FitsTable {
    QString name; ///< EXTNAME
    std::size_t rows = 0;
    std::vector<FitsColumn> columns;

    /// Case-insensitive; null if absent.
    [[nodiscard]] const FitsColumn* column(const QString& columnName) const {
        for (const FitsColumn& c : columns) {
            if (c.name.compare(columnName, Qt::CaseInsensitive) == 0) return &c;
        }
        return nullptr;
    }
};

} // namespace blendscope
