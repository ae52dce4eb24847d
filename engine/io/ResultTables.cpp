#include "io/ResultTables.h"

#include <QMap>
#include <QSet>
#include <algorithm>
#include <cmath>

namespace blendscope::tables {

namespace {

using Integers = TableColumn::Integers;
using Floats = TableColumn::Floats;
using Doubles = TableColumn::Doubles;

// Builds a table row set by row set: a column at a time from a list of things.
template <typename Item>
class Builder {
public:
    Builder(Table& table, const std::vector<Item>& items) : m_table(table), m_items(items) {}

    template <typename Get>
    void integer(const QString& name, Get get, const QString& unit = {}) {
        Integers v;
        for (const Item& item : m_items) {
            v.push_back(static_cast<std::int32_t>(get(item)));
        }
        m_table.columns.push_back({name, unit, std::move(v), -1});
    }
    template <typename Get>
    void real(const QString& name, Get get, const QString& unit = {}) {
        Floats v;
        for (const Item& item : m_items) {
            v.push_back(static_cast<float>(get(item)));
        }
        m_table.columns.push_back({name, unit, std::move(v), -1});
    }
    template <typename Get>
    void exact(const QString& name, Get get, const QString& unit, int decimals) {
        Doubles v;
        for (const Item& item : m_items) {
            v.push_back(get(item));
        }
        m_table.columns.push_back({name, unit, std::move(v), decimals});
    }
    template <typename Get>
    void text(const QString& name, Get get) {
        QStringList v;
        for (const Item& item : m_items) {
            v << get(item);
        }
        m_table.columns.push_back({name, {}, std::move(v), -1});
    }

private:
    Table& m_table;
    const std::vector<Item>& m_items;
};

const QString kPixel = QStringLiteral("pixel");
const QString kDegree = QStringLiteral("deg");
const QString kCount = QStringLiteral("ct");

float bandValue(const Object& o, int band, float BandFlux::*member) {
    return band < static_cast<int>(o.bands.size()) ? o.bands[static_cast<size_t>(band)].*member : kNan;
}

struct BandColumn {
    const char* prefix;
    float BandFlux::*member;
};
constexpr BandColumn kFurther[] = {
    {"model_flux_", &BandFlux::modelFlux},   {"model_flux_err_", &BandFlux::modelFluxErr},
    {"auto_flux_", &BandFlux::autoFlux},     {"auto_flux_err_", &BandFlux::autoFluxErr},
    {"aper_flux_", &BandFlux::apertureFlux},
};

struct CountColumn {
    const char* prefix;
    std::vector<float> Blend::*member;
};
constexpr CountColumn kCounts[] = {{"count_p", &Blend::countProbabilities}, {"count_s", &Blend::countSpread}};

/// Rows of a table by column name, with a fallback where the column is absent.
class Rows {
public:
    explicit Rows(const Table& table) : m_table(table) {}
    [[nodiscard]] size_t count() const { return static_cast<size_t>(m_table.rows()); }
    [[nodiscard]] double number(const QString& name, size_t row, double fallback = double(kNan)) const {
        const TableColumn* c = m_table.find(name);
        return c && !c->isText() ? c->number(static_cast<qsizetype>(row)) : fallback;
    }
    [[nodiscard]] int integer(const QString& name, size_t row, int fallback = 0) const {
        const double v = number(name, row, fallback);
        return std::isfinite(v) ? static_cast<int>(std::clamp(v, -2147483648.0, 2147483647.0)) : fallback;
    }
    [[nodiscard]] float real(const QString& name, size_t row) const { return static_cast<float>(number(name, row)); }
    [[nodiscard]] QString text(const QString& name, size_t row) const {
        const TableColumn* c = m_table.find(name);
        return c && c->isText() ? c->text(static_cast<qsizetype>(row)).trimmed() : QString();
    }

private:
    const Table& m_table;
};

} // namespace

Table catalog(const Result& result, const Scene& scene) {
    Table table;
    table.name = QStringLiteral("CATALOG");
    Builder<Object> add(table, result.objects);
    add.text(QStringLiteral("scene_id"), [&](const Object&) { return result.sceneId; });
    add.integer(QStringLiteral("id"), [](const Object& o) { return o.id; });
    add.integer(QStringLiteral("parent"), [](const Object& o) { return o.parent; });
    add.exact(
        QStringLiteral("x"), [](const Object& o) { return o.x; }, kPixel, 4);
    add.exact(
        QStringLiteral("y"), [](const Object& o) { return o.y; }, kPixel, 4);
    add.exact(
        QStringLiteral("ra"), [](const Object& o) { return o.ra; }, kDegree, 7);
    add.exact(
        QStringLiteral("dec"), [](const Object& o) { return o.dec; }, kDegree, 7);
    for (int b = 0; b < result.bands.size(); ++b) {
        const QString& band = result.bands[b];
        const int sceneBand = scene.bandIndex(band);
        const double zero = sceneBand >= 0 ? scene.bands[static_cast<size_t>(sceneBand)].zeroPoint : double(kNan);
        add.real(
            QStringLiteral("flux_") + band, [b](const Object& o) { return bandValue(o, b, &BandFlux::flux); }, kCount);
        add.real(
            QStringLiteral("flux_err_") + band, [b](const Object& o) { return bandValue(o, b, &BandFlux::fluxErr); },
            kCount);
        add.exact(
            QStringLiteral("mag_") + band,
            [b, zero](const Object& o) {
                const auto flux = double(bandValue(o, b, &BandFlux::flux));
                return flux > 0.0 ? zero - 2.5 * std::log10(flux) : double(kNan);
            },
            QStringLiteral("mag"), 4);
    }
    add.real(
        QStringLiteral("a"), [](const Object& o) { return o.a; }, kPixel);
    add.real(
        QStringLiteral("b"), [](const Object& o) { return o.b; }, kPixel);
    add.real(
        QStringLiteral("theta"), [](const Object& o) { return o.theta; }, kDegree);
    add.real(
        QStringLiteral("flux_radius"), [](const Object& o) { return o.fluxRadius; }, kPixel);
    add.real(
        QStringLiteral("hlr"), [](const Object& o) { return o.hlr; }, kPixel);
    add.text(QStringLiteral("class"), [](const Object& o) { return o.kind; });
    add.real(QStringLiteral("p_star"), [](const Object& o) { return o.pStar; });
    add.real(QStringLiteral("blendedness"), [](const Object& o) { return o.blendedness; });
    add.text(QStringLiteral("outcome"), [](const Object& o) { return o.outcome; });
    add.text(QStringLiteral("flags"), [](const Object& o) { return flagWords(o.flags); });

    // Beyond the agreed columns: what the window needs to show a saved result as it was.
    add.integer(QStringLiteral("position"), [](const Object& o) { return o.position; });
    add.exact(
        QStringLiteral("peak_x"), [](const Object& o) { return o.peakX; }, kPixel, 4);
    add.exact(
        QStringLiteral("peak_y"), [](const Object& o) { return o.peakY; }, kPixel, 4);
    add.real(QStringLiteral("significance"), [](const Object& o) { return o.significance; });
    add.real(
        QStringLiteral("kron_radius"), [](const Object& o) { return o.kronRadius; }, kPixel);
    for (const BandColumn& column : kFurther) {
        for (int b = 0; b < result.bands.size(); ++b) {
            add.real(
                QLatin1String(column.prefix) + result.bands[b],
                [b, &column](const Object& o) { return bandValue(o, b, column.member); }, kCount);
        }
    }
    QSet<QString> extras;
    for (const Object& o : result.objects) {
        for (auto it = o.extra.begin(); it != o.extra.end(); ++it) {
            extras.insert(it.key());
        }
    }
    QStringList names(extras.begin(), extras.end());
    names.sort();
    for (const QString& name : std::as_const(names)) {
        if (table.find(name)) continue;
        add.exact(
            name, [&](const Object& o) { return o.extra.value(name, double(kNan)); }, {}, -1);
    }
    add.text(QStringLiteral("note"), [](const Object& o) { return o.note.simplified(); });
    return table;
}

Table blends(const Result& result) {
    Table table;
    table.name = QStringLiteral("BLENDS");
    Builder<Blend> add(table, result.blends);
    add.text(QStringLiteral("scene_id"), [&](const Blend&) { return result.sceneId; });
    add.integer(QStringLiteral("id"), [](const Blend& b) { return b.id; });
    add.integer(
        QStringLiteral("x0"), [](const Blend& b) { return b.box.x0; }, kPixel);
    add.integer(
        QStringLiteral("y0"), [](const Blend& b) { return b.box.y0; }, kPixel);
    add.integer(
        QStringLiteral("nx"), [](const Blend& b) { return b.box.width; }, kPixel);
    add.integer(
        QStringLiteral("ny"), [](const Blend& b) { return b.box.height; }, kPixel);
    add.integer(QStringLiteral("n_objects"), [](const Blend& b) { return b.objects.size(); });
    add.text(QStringLiteral("objects"), [](const Blend& b) {
        QStringList ids;
        for (const int id : b.objects) {
            ids << QString::number(id);
        }
        return ids.join(QLatin1Char(' '));
    });
    add.integer(QStringLiteral("iterations"), [](const Blend& b) { return b.iterations; });
    for (int i = 0; i < result.bands.size(); ++i) {
        add.real(QStringLiteral("reduced_chi2_") + result.bands[i], [i](const Blend& b) {
            return i < static_cast<int>(b.reducedChi2.size()) ? b.reducedChi2[static_cast<size_t>(i)] : kNan;
        });
    }
    for (const CountColumn& column : kCounts) {
        std::size_t most = 0;
        for (const Blend& b : result.blends) {
            most = std::max(most, (b.*column.member).size());
        }
        for (std::size_t n = 0; n < most; ++n) {
            add.real(QLatin1String(column.prefix) + QString::number(n), [n, &column](const Blend& b) {
                return n < (b.*column.member).size() ? (b.*column.member)[n] : kNan;
            });
        }
    }
    add.text(QStringLiteral("flags"), [](const Blend& b) { return flagWords(b.flags); });
    add.text(QStringLiteral("message"), [](const Blend& b) { return b.message.simplified(); });
    return table;
}

Table covariances(const Result& result) {
    struct Row {
        int blend;
        const FluxCovariance* pair;
    };
    std::vector<Row> rows;
    for (const Blend& blend : result.blends) {
        for (const FluxCovariance& pair : blend.covariances) {
            rows.push_back({blend.id, &pair});
        }
    }
    Table table;
    table.name = QStringLiteral("COVARIANCES");
    Builder<Row> add(table, rows);
    add.text(QStringLiteral("scene_id"), [&](const Row&) { return result.sceneId; });
    add.integer(QStringLiteral("parent"), [](const Row& r) { return r.blend; });
    add.integer(QStringLiteral("id_a"), [](const Row& r) { return r.pair->idA; });
    add.integer(QStringLiteral("id_b"), [](const Row& r) { return r.pair->idB; });
    for (int i = 0; i < result.bands.size(); ++i) {
        add.real(
            QStringLiteral("covariance_") + result.bands[i],
            [i](const Row& r) {
                const auto& c = r.pair->covariance;
                return i < static_cast<int>(c.size()) ? c[static_cast<size_t>(i)] : kNan;
            },
            QStringLiteral("ct2"));
    }
    return table;
}

Table candidates(const Result& result) {
    struct Row {
        int blend;
        const SourceCandidate* candidate;
    };
    std::vector<Row> rows;
    for (const Blend& blend : result.blends) {
        for (const SourceCandidate& candidate : blend.candidates) {
            rows.push_back({blend.id, &candidate});
        }
    }
    Table table;
    table.name = QStringLiteral("CANDIDATES");
    Builder<Row> add(table, rows);
    add.text(QStringLiteral("scene_id"), [&](const Row&) { return result.sceneId; });
    add.integer(QStringLiteral("parent"), [](const Row& r) { return r.blend; });
    add.integer(QStringLiteral("step"), [](const Row& r) { return r.candidate->step; });
    add.integer(QStringLiteral("object"), [](const Row& r) { return r.candidate->object; });
    add.exact(
        QStringLiteral("x"), [](const Row& r) { return r.candidate->x; }, kPixel, 3);
    add.exact(
        QStringLiteral("y"), [](const Row& r) { return r.candidate->y; }, kPixel, 3);
    add.exact(
        QStringLiteral("gain"), [](const Row& r) { return r.candidate->gain; }, {}, 1);
    add.exact(
        QStringLiteral("significance"), [](const Row& r) { return r.candidate->significance; }, {}, 1);
    add.exact(
        QStringLiteral("contrast"), [](const Row& r) { return r.candidate->contrast; }, {}, 3);
    add.exact(
        QStringLiteral("colour"), [](const Row& r) { return r.candidate->colour; }, {}, 1);
    add.exact(
        QStringLiteral("misfit"), [](const Row& r) { return r.candidate->misfit; }, {}, 2);
    add.text(QStringLiteral("reason"), [](const Row& r) { return r.candidate->reason.simplified(); });
    return table;
}

Table components(const Result& result) {
    Table table;
    table.name = QStringLiteral("COMPONENTS");
    Builder<Component> add(table, result.components);
    add.integer(QStringLiteral("id"), [](const Component& c) { return c.id; });
    add.integer(
        QStringLiteral("x0"), [](const Component& c) { return c.box.x0; }, kPixel);
    add.integer(
        QStringLiteral("y0"), [](const Component& c) { return c.box.y0; }, kPixel);
    add.integer(
        QStringLiteral("nx"), [](const Component& c) { return c.box.width; }, kPixel);
    add.integer(
        QStringLiteral("ny"), [](const Component& c) { return c.box.height; }, kPixel);
    const auto arrays = [&](const QString& name, std::vector<cv::Mat> Component::*member) {
        TableColumn::Arrays values;
        for (const Component& component : result.components) {
            std::vector<cv::Mat> planes;
            for (int b = 0; b < result.bands.size(); ++b) {
                const std::vector<cv::Mat>& have = component.*member;
                const bool fits = b < static_cast<int>(have.size()) &&
                                  have[static_cast<size_t>(b)].size() == component.box.size() &&
                                  have[static_cast<size_t>(b)].type() == CV_32F;
                planes.push_back(fits ? have[static_cast<size_t>(b)]
                                      : cv::Mat(cv::Mat::zeros(component.box.size(), CV_32F)));
            }
            values.push_back(std::move(planes));
        }
        table.columns.push_back({name, kCount, std::move(values), -1});
    };
    arrays(QStringLiteral("model"), &Component::model);
    arrays(QStringLiteral("share"), &Component::share);
    return table;
}

Table footprints(const Result& result) {
    Table table;
    table.name = QStringLiteral("FOOTPRINTS");
    Integers id, y, x0, x1;
    for (const Footprint& footprint : result.footprints) {
        for (const Span& span : footprint.spans) {
            id.push_back(footprint.id);
            y.push_back(span.y);
            x0.push_back(span.x0);
            x1.push_back(span.x1);
        }
    }
    table.columns = {{QStringLiteral("id"), {}, std::move(id), -1},
                     {QStringLiteral("y"), kPixel, std::move(y), -1},
                     {QStringLiteral("x0"), kPixel, std::move(x0), -1},
                     {QStringLiteral("x1"), kPixel, std::move(x1), -1}};
    return table;
}

Table peaks(const Result& result) {
    Table table;
    table.name = QStringLiteral("PEAKS");
    Integers id, position;
    Doubles x, y;
    Floats significance;
    for (const Footprint& footprint : result.footprints) {
        for (const Peak& peak : footprint.peaks) {
            id.push_back(footprint.id);
            x.push_back(peak.x);
            y.push_back(peak.y);
            significance.push_back(peak.significance);
            position.push_back(peak.position);
        }
    }
    table.columns = {{QStringLiteral("footprint"), {}, std::move(id), -1},
                     {QStringLiteral("x"), kPixel, std::move(x), 4},
                     {QStringLiteral("y"), kPixel, std::move(y), 4},
                     {QStringLiteral("significance"), {}, std::move(significance), -1},
                     {QStringLiteral("position"), {}, std::move(position), -1}};
    return table;
}

void readCatalog(const Table& table, Result& result) {
    const Rows rows(table);
    QSet<QString> known{QStringLiteral("id"),
                        QStringLiteral("parent"),
                        QStringLiteral("x"),
                        QStringLiteral("y"),
                        QStringLiteral("ra"),
                        QStringLiteral("dec"),
                        QStringLiteral("a"),
                        QStringLiteral("b"),
                        QStringLiteral("theta"),
                        QStringLiteral("flux_radius"),
                        QStringLiteral("hlr"),
                        QStringLiteral("p_star"),
                        QStringLiteral("blendedness"),
                        QStringLiteral("position"),
                        QStringLiteral("peak_x"),
                        QStringLiteral("peak_y"),
                        QStringLiteral("significance"),
                        QStringLiteral("kron_radius")};
    const auto bandColumn = [&](const char* prefix, const QString& band) {
        QString name = QLatin1String(prefix) + band;
        known.insert(name);
        return name;
    };
    result.objects.resize(rows.count());
    for (const QString& band : result.bands) {
        const QString flux = bandColumn("flux_", band), error = bandColumn("flux_err_", band);
        bandColumn("mag_", band);
        QStringList further;
        for (const BandColumn& column : kFurther) {
            further << bandColumn(column.prefix, band);
        }
        for (size_t i = 0; i < rows.count(); ++i) {
            BandFlux& b = result.objects[i].bands.emplace_back();
            b.flux = rows.real(flux, i);
            b.fluxErr = rows.real(error, i);
            for (size_t k = 0; k < std::size(kFurther); ++k) {
                b.*kFurther[k].member = rows.real(further[static_cast<qsizetype>(k)], i);
            }
        }
    }
    QStringList extras;
    for (const TableColumn& column : table.columns) {
        if (!column.isText() && !known.contains(column.name)) extras << column.name;
    }
    for (size_t i = 0; i < rows.count(); ++i) {
        Object& o = result.objects[i];
        o.id = rows.integer(QStringLiteral("id"), i);
        o.parent = rows.integer(QStringLiteral("parent"), i);
        o.position = rows.integer(QStringLiteral("position"), i, -1);
        o.x = rows.number(QStringLiteral("x"), i);
        o.y = rows.number(QStringLiteral("y"), i);
        o.peakX = rows.number(QStringLiteral("peak_x"), i, o.x);
        o.peakY = rows.number(QStringLiteral("peak_y"), i, o.y);
        o.ra = rows.number(QStringLiteral("ra"), i);
        o.dec = rows.number(QStringLiteral("dec"), i);
        o.a = rows.real(QStringLiteral("a"), i);
        o.b = rows.real(QStringLiteral("b"), i);
        o.theta = rows.real(QStringLiteral("theta"), i);
        o.kronRadius = rows.real(QStringLiteral("kron_radius"), i);
        o.fluxRadius = rows.real(QStringLiteral("flux_radius"), i);
        o.hlr = rows.real(QStringLiteral("hlr"), i);
        o.pStar = rows.real(QStringLiteral("p_star"), i);
        o.blendedness = rows.real(QStringLiteral("blendedness"), i);
        o.significance = rows.real(QStringLiteral("significance"), i);
        o.kind = rows.text(QStringLiteral("class"), i);
        o.outcome = rows.text(QStringLiteral("outcome"), i);
        o.flags = flagsFromWords(rows.text(QStringLiteral("flags"), i));
        o.note = rows.text(QStringLiteral("note"), i);
        for (const QString& name : std::as_const(extras)) {
            const double v = rows.number(name, i);
            if (!std::isnan(v)) o.extra.insert(name, v);
        }
    }
    std::sort(result.objects.begin(), result.objects.end(),
              [](const Object& a, const Object& b) { return a.id < b.id; });
}

void readBlends(const Table& table, Result& result) {
    const Rows rows(table);
    for (size_t i = 0; i < rows.count(); ++i) {
        Blend b;
        b.id = rows.integer(QStringLiteral("id"), i);
        b.box = {rows.integer(QStringLiteral("x0"), i), rows.integer(QStringLiteral("y0"), i),
                 rows.integer(QStringLiteral("nx"), i), rows.integer(QStringLiteral("ny"), i)};
        for (const QString& id : rows.text(QStringLiteral("objects"), i).split(QLatin1Char(' '), Qt::SkipEmptyParts)) {
            b.objects.push_back(id.toInt());
        }
        b.iterations = rows.integer(QStringLiteral("iterations"), i);
        b.flags = flagsFromWords(rows.text(QStringLiteral("flags"), i));
        b.message = rows.text(QStringLiteral("message"), i);
        for (const QString& band : result.bands) {
            b.reducedChi2.push_back(rows.real(QStringLiteral("reduced_chi2_") + band, i));
        }
        if (std::all_of(b.reducedChi2.begin(), b.reducedChi2.end(), [](float v) { return std::isnan(v); })) {
            b.reducedChi2.clear();
        }
        for (const CountColumn& column : kCounts) {
            std::vector<float>& values = b.*column.member;
            for (int n = 0; table.find(QLatin1String(column.prefix) + QString::number(n)); ++n) {
                const float value = rows.real(QLatin1String(column.prefix) + QString::number(n), i);
                if (std::isnan(value)) break;
                values.push_back(value);
            }
        }
        result.blends.push_back(std::move(b));
    }
    std::sort(result.blends.begin(), result.blends.end(), [](const Blend& a, const Blend& b) { return a.id < b.id; });
}

void readCandidates(const Table& table, Result& result) {
    const TableColumn* parent = table.find(QStringLiteral("parent"));
    if (!parent) return;
    QMap<int, Blend*> byId;
    for (Blend& blend : result.blends) {
        byId.insert(blend.id, &blend);
    }
    const auto number = [&](const char* column, qsizetype row, double missing) {
        const TableColumn* c = table.find(QLatin1String(column));
        const double v = c ? c->number(row) : missing;
        return std::isfinite(v) ? v : missing;
    };
    const TableColumn* reason = table.find(QStringLiteral("reason"));
    for (qsizetype i = 0; i < table.rows(); ++i) {
        const double id = parent->number(i);
        Blend* blend = std::isfinite(id) ? byId.value(static_cast<int>(id)) : nullptr;
        if (!blend) continue;
        SourceCandidate c;
        c.step = static_cast<int>(number("step", i, 0.0));
        c.object = static_cast<int>(number("object", i, 0.0));
        c.x = number("x", i, 0.0);
        c.y = number("y", i, 0.0);
        c.gain = number("gain", i, 0.0);
        c.significance = number("significance", i, 0.0);
        c.contrast = number("contrast", i, double(kNan));
        c.colour = number("colour", i, double(kNan));
        c.misfit = number("misfit", i, double(kNan));
        if (reason) c.reason = reason->text(i);
        blend->candidates.push_back(std::move(c));
    }
}

void readCovariances(const Table& table, Result& result) {
    const TableColumn* parent = table.find(QStringLiteral("parent"));
    const TableColumn* a = table.find(QStringLiteral("id_a"));
    const TableColumn* b = table.find(QStringLiteral("id_b"));
    if (!parent || !a || !b) return;
    QMap<int, Blend*> byId;
    for (Blend& blend : result.blends) {
        byId.insert(blend.id, &blend);
    }
    std::vector<const TableColumn*> bands;
    for (const QString& band : result.bands) {
        bands.push_back(table.find(QStringLiteral("covariance_") + band));
    }
    for (qsizetype i = 0; i < table.rows(); ++i) {
        const double id = parent->number(i);
        Blend* blend = std::isfinite(id) ? byId.value(static_cast<int>(id)) : nullptr;
        if (!blend || !std::isfinite(a->number(i)) || !std::isfinite(b->number(i))) continue;
        FluxCovariance pair{static_cast<int>(a->number(i)), static_cast<int>(b->number(i)), {}};
        for (const TableColumn* band : bands) {
            pair.covariance.push_back(band ? static_cast<float>(band->number(i)) : kNan);
        }
        blend->covariances.push_back(std::move(pair));
    }
}

void readComponents(const Table& table, const QStringList& bands, Result& result) {
    const Rows rows(table);
    const TableColumn* model = table.find(QStringLiteral("model"));
    const TableColumn* share = table.find(QStringLiteral("share"));
    const auto planes = [&](const TableColumn* column, size_t row, const Box& box) {
        std::vector<cv::Mat> out;
        const auto* arrays = column ? std::get_if<TableColumn::Arrays>(&column->values) : nullptr;
        if (!arrays || row >= arrays->size()) return out;
        std::vector<float> values;
        for (const cv::Mat& part : (*arrays)[row]) {
            for (int y = 0; y < part.rows; ++y) {
                values.insert(values.end(), part.ptr<float>(y), part.ptr<float>(y) + part.cols);
            }
        }
        const auto pixels = static_cast<size_t>(box.area());
        if (values.size() != pixels * static_cast<size_t>(bands.size())) {
            throw ReadError(QStringLiteral("components.fits: row %1 holds %2 values, its box and bands make %3")
                                .arg(row + 1)
                                .arg(values.size())
                                .arg(pixels * static_cast<size_t>(bands.size())));
        }
        // In the order of the result's bands, whatever the order of the file's.
        for (const QString& band : result.bands) {
            const qsizetype at = bands.indexOf(band, 0);
            if (at < 0 || pixels == 0) {
                out.push_back(cv::Mat::zeros(box.size(), CV_32F));
                continue;
            }
            cv::Mat plane(box.size(), CV_32F);
            std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(static_cast<size_t>(at) * pixels), pixels,
                        plane.ptr<float>());
            out.push_back(plane);
        }
        return out;
    };
    for (size_t i = 0; i < rows.count(); ++i) {
        Component c;
        c.id = rows.integer(QStringLiteral("id"), i);
        c.box = {rows.integer(QStringLiteral("x0"), i), rows.integer(QStringLiteral("y0"), i),
                 rows.integer(QStringLiteral("nx"), i), rows.integer(QStringLiteral("ny"), i)};
        if (c.box.width < 0 || c.box.height < 0) {
            throw ReadError(QStringLiteral("components.fits: row %1 has a negative size").arg(i + 1));
        }
        c.model = planes(model, i, c.box);
        c.share = planes(share, i, c.box);
        result.components.push_back(std::move(c));
    }
    std::sort(result.components.begin(), result.components.end(),
              [](const Component& a, const Component& b) { return a.id < b.id; });
}

void readFootprints(const Table& table, Result& result) {
    const Rows rows(table);
    QMap<int, Footprint> byId;
    for (size_t i = 0; i < rows.count(); ++i) {
        const int id = rows.integer(QStringLiteral("id"), i);
        Footprint& f = byId[id];
        f.id = id;
        const Span span{rows.integer(QStringLiteral("y"), i), rows.integer(QStringLiteral("x0"), i),
                        rows.integer(QStringLiteral("x1"), i)};
        if (span.x1 <= span.x0) continue;
        f.spans.push_back(span);
        f.box = f.box.united({span.x0, span.y, span.x1 - span.x0, 1});
    }
    for (Footprint& f : byId) {
        std::sort(f.spans.begin(), f.spans.end(),
                  [](const Span& a, const Span& b) { return a.y != b.y ? a.y < b.y : a.x0 < b.x0; });
        result.footprints.push_back(std::move(f));
    }
}

void readPeaks(const Table& table, Result& result) {
    const Rows rows(table);
    QMap<int, Footprint*> byId;
    for (Footprint& f : result.footprints) {
        byId.insert(f.id, &f);
    }
    for (size_t i = 0; i < rows.count(); ++i) {
        Footprint* f = byId.value(rows.integer(QStringLiteral("footprint"), i));
        if (!f) continue;
        f->peaks.push_back({rows.number(QStringLiteral("x"), i), rows.number(QStringLiteral("y"), i),
                            rows.real(QStringLiteral("significance"), i),
                            rows.integer(QStringLiteral("position"), i, -1)});
    }
}

} // namespace blendscope::tables
