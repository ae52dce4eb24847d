#include "io/Table.h"

#include <QSet>
#include <cmath>
#include <limits>

namespace blendscope {

namespace {

QString numberText(double v, int significant, int decimals) {
    if (std::isnan(v)) return QStringLiteral("nan");
    if (std::isinf(v)) return v > 0 ? QStringLiteral("inf") : QStringLiteral("-inf");
    const QString text = decimals >= 0 ? QString::number(v, 'f', decimals) : QString::number(v, 'g', significant);
    // A rounded -0 would differ from 0 for no reason.
    return text.toDouble() == 0.0 ? QStringLiteral("0") : text;
}

QString quoted(const QString& text) {
    return QLatin1Char('"') + QString(text).replace(QLatin1Char('"'), QStringLiteral("\"\"")) + QLatin1Char('"');
}

QString field(const QString& text) {
    for (const QChar c : text) {
        if (c == QLatin1Char(',') || c == QLatin1Char('"') || c == QLatin1Char('\n') || c == QLatin1Char('\r')) {
            return quoted(QString(text).replace(QLatin1Char('\n'), QLatin1Char(' ')).remove(QLatin1Char('\r')));
        }
    }
    return text;
}

// One record's fields; `quotedFields` tells which were in quotes.
QStringList splitRecord(const QString& line, QList<bool>* quotedFields = nullptr) {
    QStringList fields;
    QString current;
    bool inside = false, wasQuoted = false;
    for (qsizetype i = 0; i < line.size(); ++i) {
        const QChar c = line[i];
        if (inside) {
            if (c != QLatin1Char('"')) {
                current += c;
            } else if (i + 1 < line.size() && line[i + 1] == QLatin1Char('"')) {
                current += c;
                ++i;
            } else {
                inside = false;
            }
        } else if (c == QLatin1Char('"')) {
            inside = wasQuoted = true;
        } else if (c == QLatin1Char(',')) {
            fields << (wasQuoted ? current : current.trimmed());
            if (quotedFields) *quotedFields << wasQuoted;
            current.clear();
            wasQuoted = false;
        } else {
            current += c;
        }
    }
    fields << (wasQuoted ? current : current.trimmed());
    if (quotedFields) *quotedFields << wasQuoted;
    return fields;
}

} // namespace

qsizetype TableColumn::rows() const {
    return std::visit([](const auto& v) { return static_cast<qsizetype>(v.size()); }, values);
}

double TableColumn::number(qsizetype row) const {
    const auto i = static_cast<size_t>(row);
    if (const auto* v = std::get_if<Integers>(&values)) return (*v)[i];
    if (const auto* v = std::get_if<Floats>(&values)) return double((*v)[i]);
    if (const auto* v = std::get_if<Doubles>(&values)) return (*v)[i];
    if (const auto* v = std::get_if<QStringList>(&values)) {
        bool ok = false;
        const double number = (*v)[row].toDouble(&ok);
        if (ok) return number;
    }
    return std::numeric_limits<double>::quiet_NaN();
}

QString TableColumn::text(qsizetype row) const {
    const auto i = static_cast<size_t>(row);
    if (const auto* v = std::get_if<QStringList>(&values)) return (*v)[row];
    if (const auto* v = std::get_if<Integers>(&values)) return QString::number((*v)[i]);
    if (const auto* v = std::get_if<Floats>(&values)) return numberText(double((*v)[i]), 7, decimals);
    if (const auto* v = std::get_if<Doubles>(&values)) return numberText((*v)[i], 12, decimals);
    return {};
}

const TableColumn* Table::find(const QString& column) const {
    for (const TableColumn& c : columns) {
        if (c.name.compare(column, Qt::CaseInsensitive) == 0) return &c;
    }
    return nullptr;
}

QStringList csvLines(const Table& table, bool withHeader) {
    QStringList lines;
    QStringList fields;
    if (withHeader) {
        for (const TableColumn& c : table.columns) {
            fields << (c.isText() ? quoted(c.name) : field(c.name));
        }
        lines << fields.join(QLatin1Char(','));
    }
    for (qsizetype row = 0; row < table.rows(); ++row) {
        fields.clear();
        for (const TableColumn& c : table.columns) {
            fields << (c.isText() ? field(c.text(row)) : c.text(row));
        }
        lines << fields.join(QLatin1Char(','));
    }
    return lines;
}

Table parseCsv(const QByteArray& csv) {
    Table table;
    std::vector<QStringList> columns;
    int number = 0;
    QString text = QString::fromUtf8(csv);
    if (text.startsWith(QChar(0xFEFF))) text.remove(0, 1);
    for (QString line : text.split(QLatin1Char('\n'))) {
        ++number;
        if (line.endsWith(QLatin1Char('\r'))) line.chop(1);
        if (line.trimmed().isEmpty() || line.startsWith(QLatin1Char('#'))) continue;
        const QStringList fields = splitRecord(line);
        if (table.columns.empty()) {
            for (const QString& name : fields) {
                TableColumn column;
                column.name = name;
                table.columns.push_back(std::move(column));
            }
            columns.resize(table.columns.size());
            continue;
        }
        if (fields.size() != static_cast<qsizetype>(columns.size())) {
            throw ReadError(QStringLiteral("line %1 has %2 fields, the header has %3")
                                .arg(number)
                                .arg(fields.size())
                                .arg(columns.size()));
        }
        for (qsizetype i = 0; i < fields.size(); ++i) {
            columns[static_cast<size_t>(i)] << fields[i];
        }
    }
    for (size_t i = 0; i < columns.size(); ++i) {
        table.columns[i].values = std::move(columns[i]);
    }
    return table;
}

QStringList joinCsv(const std::vector<QStringList>& tables) {
    QStringList lines;
    bool same = true;
    const QString* header = nullptr;
    for (const QStringList& table : tables) {
        if (table.isEmpty()) continue;
        if (!header) header = &table.first();
        same &= table.first() == *header;
    }
    if (!header) return {};
    if (same) {
        lines << *header;
        for (const QStringList& table : tables) {
            lines += table.mid(1);
        }
        return lines;
    }

    QStringList names, titles;
    QSet<QString> text;
    for (const QStringList& table : tables) {
        if (table.isEmpty()) continue;
        QList<bool> isText;
        const QStringList own = splitRecord(table.first(), &isText);
        for (qsizetype i = 0; i < own.size(); ++i) {
            if (names.contains(own[i])) continue;
            names << own[i];
            titles << (isText[i] ? quoted(own[i]) : field(own[i]));
            if (isText[i]) text.insert(own[i]);
        }
    }
    lines << titles.join(QLatin1Char(','));
    for (const QStringList& table : tables) {
        if (table.isEmpty()) continue;
        const QStringList own = splitRecord(table.first());
        QList<qsizetype> source;
        for (const QString& name : names) {
            source << own.indexOf(name);
        }
        for (qsizetype row = 1; row < table.size(); ++row) {
            const QStringList fields = splitRecord(table[row]);
            if (fields.size() != own.size()) throw ReadError(QStringLiteral("a row does not fit its header"));
            QStringList out;
            for (qsizetype i = 0; i < names.size(); ++i) {
                if (source[i] >= 0) {
                    out << field(fields[source[i]]);
                } else {
                    out << (text.contains(names[i]) ? QString() : QStringLiteral("nan"));
                }
            }
            lines << out.join(QLatin1Char(','));
        }
    }
    return lines;
}

} // namespace blendscope
