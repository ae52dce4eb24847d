#include "models/ResultModel.h"

#include "figure/OutcomeLook.h"
#include "models/Format.h"
#include "theme/Theme.h"

#include <QPainter>
#include <QPixmap>
#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace blendscope {

namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

/// NaN last in both directions.
bool comesBefore(double a, double b, bool ascending) {
    if (std::isnan(a) || std::isnan(b)) return !std::isnan(a) && std::isnan(b);
    return ascending ? a < b : a > b;
}

} // namespace

ResultModel::ResultModel(QObject* parent) : QAbstractItemModel(parent) {}

QStringList ResultModel::filterNames() {
    return {QStringLiteral("id"),     QStringLiteral("n"),   QStringLiteral("mag"),
            QStringLiteral("colour"), QStringLiteral("snr"), QStringLiteral("x"),
            QStringLiteral("y"),      QStringLiteral("r"),   QStringLiteral("blendedness")};
}

void ResultModel::setResult(ResultPtr result, ScenePtr scene) {
    beginResetModel();
    if (scene != m_scene) m_band = -1;
    m_result = std::move(result);
    m_scene = std::move(scene);
    if (m_band < 0 && m_result && !m_result->objects.empty()) {
        std::vector<double> sum;
        for (const Object& o : m_result->objects) {
            sum.resize(std::max(sum.size(), o.bands.size()));
            for (std::size_t b = 0; b < o.bands.size(); ++b) {
                const double snr = double(o.bands[b].flux) / double(o.bands[b].fluxErr);
                if (std::isfinite(snr)) sum[b] += std::min(snr, 100.0);
            }
        }
        if (!sum.empty()) m_band = static_cast<int>(std::max_element(sum.begin(), sum.end()) - sum.begin());
    }
    rebuild();
    endResetModel();
}

void ResultModel::setFilter(const RowFilter& filter) {
    beginResetModel();
    m_filter = filter;
    rebuild();
    endResetModel();
}

void ResultModel::setVerdict(std::function<std::optional<Outcome>(int, int)> verdict) {
    beginResetModel();
    m_verdict = std::move(verdict);
    rebuild(); // the order and the filter may go by it
    endResetModel();
}

std::optional<Outcome> ResultModel::verdict(const Blend& blend, const Object* object) const {
    return m_verdict ? m_verdict(blend.id, object ? object->id : 0) : std::nullopt;
}

void ResultModel::setHovered(int blendId, int objectId) {
    const std::pair<int, int> now{blendId, objectId};
    if (now == m_hovered) return;
    const auto changed = [this](std::pair<int, int> id) {
        for (const QModelIndex& i : {indexOfBlend(id.first), indexOfObject(id.second)}) {
            if (i.isValid()) Q_EMIT dataChanged(i, i.siblingAtColumn(Columns - 1), {Qt::BackgroundRole});
        }
    };
    const std::pair<int, int> before = std::exchange(m_hovered, now);
    changed(before);
    changed(now);
}

void ResultModel::setShow(Show show) {
    if (show == m_show) return;
    beginResetModel();
    m_show = show;
    rebuild();
    endResetModel();
}

void ResultModel::setBand(int band) {
    beginResetModel();
    m_band = band;
    rebuild();
    endResetModel();
}

void ResultModel::rebuild() {
    m_rows.clear();
    m_rowOf.clear();
    m_children.clear();
    if (!m_result) return;
    const int n = static_cast<int>(m_result->blends.size());
    m_rowOf.assign(static_cast<std::size_t>(n), -1);
    m_children.resize(static_cast<std::size_t>(n));
    for (int i = 0; i < n; ++i) {
        const Blend& blend = m_result->blends[static_cast<std::size_t>(i)];
        const bool several = blend.objects.size() > 1;
        if ((m_show == Show::Blends && !several) || (m_show == Show::Isolated && several)) continue;
        const Object* only = several || blend.objects.empty() ? nullptr : m_result->object(blend.objects.front());
        if (!m_filter.empty()) {
            // A blend stays where it or one of its objects fits.
            const auto fits = [&](const Object* o) {
                return m_filter.accepts([&](int name) { return number(blend, o, name); },
                                        [&] { return words(blend, o); });
            };
            bool keep = fits(only);
            for (std::size_t k = 0; !keep && several && k < blend.objects.size(); ++k) {
                const Object* o = m_result->object(blend.objects[k]);
                keep = o && fits(o);
            }
            if (!keep) continue;
        }
        if (several) m_children[static_cast<std::size_t>(i)] = blend.objects;
        m_rows.push_back(i);
    }
    order();
}

void ResultModel::order() {
    if (!m_result) return;
    const bool ascending = m_sortOrder == Qt::AscendingOrder;
    const int column = m_sortColumn;
    const auto only = [&](const Blend& b) {
        return b.objects.size() == 1 ? m_result->object(b.objects.front()) : nullptr;
    };
    if (column == Flags || column == What) {
        std::vector<QString> key(m_result->blends.size());
        for (const int i : m_rows) {
            const Blend& b = m_result->blends[static_cast<std::size_t>(i)];
            const Object* o = only(b);
            key[static_cast<std::size_t>(i)] = column == Flags ? flagWords(b.flags | (o ? o->flags : 0u))
                                                               : (o && !o->note.isEmpty() ? o->note : b.message);
        }
        std::stable_sort(m_rows.begin(), m_rows.end(), [&](int a, int b) {
            const QString &ka = key[static_cast<std::size_t>(a)], &kb = key[static_cast<std::size_t>(b)];
            if (ka.isEmpty() != kb.isEmpty()) return kb.isEmpty();
            return ascending ? ka < kb : kb < ka;
        });
    } else {
        std::vector<double> key(m_result->blends.size(), kNone);
        for (const int i : m_rows) {
            const Blend& b = m_result->blends[static_cast<std::size_t>(i)];
            key[static_cast<std::size_t>(i)] = number(b, only(b), column);
        }
        std::sort(m_rows.begin(), m_rows.end(), [&](int a, int b) {
            const double ka = key[static_cast<std::size_t>(a)], kb = key[static_cast<std::size_t>(b)];
            if (ka == kb || (std::isnan(ka) && std::isnan(kb))) return a < b;
            return comesBefore(ka, kb, ascending);
        });
        std::vector<std::pair<double, int>> children;
        for (const int i : m_rows) {
            auto& ids = m_children[static_cast<std::size_t>(i)];
            if (ids.empty()) continue;
            const Blend& b = m_result->blends[static_cast<std::size_t>(i)];
            children.clear();
            for (const int id : b.objects) {
                const Object* o = m_result->object(id);
                // The number of objects says nothing of one object: those stay in their own order.
                children.emplace_back(o && column != Count ? number(b, o, column) : double(id), id);
            }
            const bool up = column == Count || ascending;
            std::stable_sort(children.begin(), children.end(),
                             [up](const auto& x, const auto& y) { return comesBefore(x.first, y.first, up); });
            std::transform(children.begin(), children.end(), ids.begin(), [](const auto& c) { return c.second; });
        }
    }
    std::fill(m_rowOf.begin(), m_rowOf.end(), -1);
    for (std::size_t row = 0; row < m_rows.size(); ++row) {
        m_rowOf[static_cast<std::size_t>(m_rows[row])] = static_cast<int>(row);
    }
}

void ResultModel::sort(int column, Qt::SortOrder sortOrder) {
    if (column < 0 || column >= Columns) return;
    Q_EMIT layoutAboutToBeChanged({}, QAbstractItemModel::VerticalSortHint);
    struct Place {
        int blend, object, column;
    };
    const QModelIndexList before = persistentIndexList();
    std::vector<Place> places;
    for (const QModelIndex& i : before) {
        places.push_back({blendId(i), i.parent().isValid() ? objectId(i) : 0, i.column()});
    }
    m_sortColumn = column;
    m_sortOrder = sortOrder;
    order();
    QModelIndexList after;
    for (const Place& p : places) {
        const QModelIndex i = p.object > 0 ? indexOfObject(p.object) : indexOfBlend(p.blend);
        after.append(i.siblingAtColumn(p.column));
    }
    changePersistentIndexList(before, after);
    Q_EMIT layoutChanged({}, QAbstractItemModel::VerticalSortHint);
}

int ResultModel::blendsTotal() const {
    if (!m_result) return 0;
    return static_cast<int>(std::count_if(m_result->blends.begin(), m_result->blends.end(),
                                          [](const Blend& b) { return b.objects.size() > 1; }));
}

int ResultModel::isolatedTotal() const {
    return m_result ? static_cast<int>(m_result->blends.size()) - blendsTotal() : 0;
}

int ResultModel::objectsShown() const {
    int n = 0;
    for (const int i : m_rows) {
        n += static_cast<int>(m_result->blends[static_cast<std::size_t>(i)].objects.size());
    }
    return n;
}

std::vector<int> ResultModel::hiddenObjects() const {
    std::vector<int> ids;
    if (!m_result) return ids;
    for (std::size_t i = 0; i < m_rowOf.size(); ++i) {
        if (m_rowOf[i] >= 0) continue;
        const auto& objects = m_result->blends[i].objects;
        ids.insert(ids.end(), objects.begin(), objects.end());
    }
    return ids;
}

QModelIndex ResultModel::indexOfBlend(int id) const {
    const Blend* b = m_result ? m_result->blend(id) : nullptr;
    if (!b) return {};
    const int row = m_rowOf[static_cast<std::size_t>(b - m_result->blends.data())];
    return row < 0 ? QModelIndex() : createIndex(row, 0, quintptr(0));
}

QModelIndex ResultModel::indexOfObject(int id) const {
    const Object* o = m_result ? m_result->object(id) : nullptr;
    const Blend* b = o ? m_result->blend(o->parent) : nullptr;
    if (!b) return {};
    const auto i = static_cast<std::size_t>(b - m_result->blends.data());
    if (m_rowOf[i] < 0) return {};
    const auto& children = m_children[i];
    if (children.empty()) return createIndex(m_rowOf[i], 0, quintptr(0));
    const auto at = std::find(children.begin(), children.end(), id);
    return at == children.end() ? QModelIndex()
                                : createIndex(static_cast<int>(at - children.begin()), 0, quintptr(i + 1));
}

int ResultModel::blendId(const QModelIndex& i) const {
    if (!i.isValid() || !m_result) return 0;
    const quintptr parentKey = i.internalId();
    return parentKey == 0 ? blendAt(i.row()).id : m_result->blends[parentKey - 1].id;
}

int ResultModel::objectId(const QModelIndex& i) const {
    const Object* o = objectAt(i);
    return o ? o->id : 0;
}

int ResultModel::stepBlend(int fromBlendId, int steps) const {
    const int n = static_cast<int>(m_rows.size());
    if (n == 0 || steps == 0) return 0;
    const bool anyBlend = std::any_of(m_rows.begin(), m_rows.end(), [this](int i) {
        return m_result->blends[static_cast<std::size_t>(i)].objects.size() > 1;
    });
    const int direction = steps > 0 ? 1 : -1;
    int row = indexOfBlend(fromBlendId).row(); // -1 if none is selected: forwards starts at the top
    if (row < 0 && direction < 0) row = 0;
    for (int left = std::abs(steps); left > 0; --left) {
        for (int tried = 0; tried < n; ++tried) {
            row = ((row + direction) % n + n) % n;
            if (!anyBlend || blendAt(row).objects.size() > 1) break;
        }
    }
    return blendAt(row).id;
}

QModelIndex ResultModel::index(int row, int column, const QModelIndex& parentIndex) const {
    if (row < 0 || column < 0 || column >= Columns || row >= rowCount(parentIndex)) return {};
    if (!parentIndex.isValid()) return createIndex(row, column, quintptr(0));
    return createIndex(row, column, quintptr(m_rows[static_cast<std::size_t>(parentIndex.row())] + 1));
}

QModelIndex ResultModel::parent(const QModelIndex& child) const {
    if (!child.isValid() || child.internalId() == 0) return {};
    return createIndex(m_rowOf[child.internalId() - 1], 0, quintptr(0));
}

int ResultModel::rowCount(const QModelIndex& parentIndex) const {
    if (!parentIndex.isValid()) return static_cast<int>(m_rows.size());
    if (parentIndex.column() > 0 || parentIndex.internalId() != 0) return 0;
    const int blend = m_rows[static_cast<std::size_t>(parentIndex.row())];
    return static_cast<int>(m_children[static_cast<std::size_t>(blend)].size());
}

int ResultModel::columnCount(const QModelIndex&) const {
    return Columns;
}

const Blend& ResultModel::blendAt(int row) const {
    return m_result->blends[static_cast<std::size_t>(m_rows[static_cast<std::size_t>(row)])];
}

const Object* ResultModel::objectAt(const QModelIndex& i) const {
    if (!i.isValid() || !m_result) return nullptr;
    if (i.internalId() != 0) {
        return m_result->object(m_children[i.internalId() - 1][static_cast<std::size_t>(i.row())]);
    }
    const Blend& b = blendAt(i.row());
    return b.objects.size() == 1 ? m_result->object(b.objects.front()) : nullptr;
}

std::pair<double, double> ResultModel::flux(const Blend& blend, const Object* object, int band) const {
    if (band < 0) return {kNone, kNone};
    const auto k = static_cast<std::size_t>(band);
    if (object) {
        if (k >= object->bands.size()) return {kNone, kNone};
        return {object->bands[k].flux, object->bands[k].fluxErr};
    }
    double sum = 0.0, variance = 0.0;
    for (const int id : blend.objects) {
        const Object* o = m_result->object(id);
        if (!o || k >= o->bands.size() || !std::isfinite(o->bands[k].flux)) continue;
        sum += double(o->bands[k].flux);
        if (std::isfinite(o->bands[k].fluxErr)) variance += std::pow(double(o->bands[k].fluxErr), 2);
    }
    return {sum, std::sqrt(variance)};
}

double ResultModel::number(const Blend& blend, const Object* object, int column) const {
    const auto zeroPoint = [this](int band) {
        const auto k = static_cast<std::size_t>(band);
        return m_scene && k < m_scene->bands.size() ? m_scene->bands[k].zeroPoint : kNone;
    };
    switch (column) {
    case Name:
        return object && blend.objects.size() > 1 ? object->id : blend.id;
    case Count:
        return static_cast<double>(blend.objects.size());
    case Magnitude:
        return magnitude(flux(blend, object, m_band).first, zeroPoint(m_band));
    case Colour: {
        if (!m_result || m_result->bands.size() < 2) return kNone;
        const int blue = m_band > 0 ? m_band - 1 : 0, red = blue + 1;
        return magnitude(flux(blend, object, blue).first, zeroPoint(blue)) -
               magnitude(flux(blend, object, red).first, zeroPoint(red));
    }
    case SignalToNoise: {
        const auto [f, e] = flux(blend, object, m_band);
        return e > 0 ? f / e : kNone;
    }
    case X:
        return object ? object->x : blend.box.x0 + (blend.box.width - 1) / 2.0;
    case Y:
        return object ? object->y : blend.box.y0 + (blend.box.height - 1) / 2.0;
    case Radius:
        return object ? double(object->fluxRadius) : kNone;
    case Blendedness: {
        if (object) return object->blendedness;
        double most = kNone;
        for (const int id : blend.objects) {
            const Object* o = m_result->object(id);
            if (o && std::isfinite(o->blendedness))
                most = std::isnan(most) ? double(o->blendedness) : std::max(most, double(o->blendedness));
        }
        return most;
    }
    case Fate: {
        const std::optional<Outcome> outcome = verdict(blend, object);
        return outcome ? double(outcomeRank(*outcome)) : kNone;
    }
    default:
        return kNone;
    }
}

QString ResultModel::words(const Blend& blend, const Object* object) const {
    std::uint32_t flags = blend.flags;
    if (!object) {
        // A blend answers for its objects: "-edge" leaves out the blend of which one touches the border.
        for (const int id : blend.objects) {
            const Object* o = m_result->object(id);
            flags |= o ? o->flags : 0u;
        }
    }
    QString text = QStringLiteral("blend %1 %2 %3").arg(blend.id).arg(blend.message, flagWords(flags));
    if (const std::optional<Outcome> outcome = verdict(blend, object)) text += QLatin1Char(' ') + outcomeWord(*outcome);
    if (object) {
        text += QStringLiteral(" object %1 %2 %3 %4 %5")
                    .arg(object->id)
                    .arg(object->note, object->kind, object->outcome, flagWords(object->flags));
    }
    return text;
}

QVariant ResultModel::data(const QModelIndex& i, int role) const {
    if (!i.isValid() || !m_result) return {};
    const bool child = i.internalId() != 0;
    const Blend& blend = child ? m_result->blends[i.internalId() - 1] : blendAt(i.row());
    const Object* object = objectAt(i);
    const int column = i.column();
    switch (role) {
    case BlendIdRole:
        return blend.id;
    case ObjectIdRole:
        return object ? object->id : 0;
    case SortRole:
        return number(blend, object, column);
    case Qt::TextAlignmentRole:
        return int(
            (column == Name || column == Flags || column == What || column == Fate ? Qt::AlignLeft : Qt::AlignRight) |
            Qt::AlignVCenter);
    case Qt::BackgroundRole: {
        const bool whole = m_hovered.second == 0 || !object; // the blend's row stands for objects folded away
        const bool over = whole ? !child && blend.id == m_hovered.first : object->id == m_hovered.second;
        return over ? QVariant(Theme::colors().raised) : QVariant();
    }
    case Qt::DecorationRole:
        if (column == Fate) {
            const std::optional<Outcome> outcome = verdict(blend, object);
            if (!outcome) return {};
            QPixmap chip(14, 14);
            chip.fill(Qt::transparent);
            QPainter painter(&chip);
            paintOutcomeChip(painter, QRectF(0, 0, 14, 14), *outcome);
            return chip;
        }
        if (column == Name && object && m_color) {
            QPixmap chip(10, 10);
            chip.fill(m_color(object->id));
            return chip;
        }
        return {};
    case Qt::ToolTipRole:
        if (column == What) return object && !object->note.isEmpty() ? object->note : blend.message;
        if (column == Flags)
            return flagWords(blend.flags | (object ? object->flags : 0u))
                .replace(QLatin1Char('|'), QLatin1String(", "));
        return {};
    case Qt::DisplayRole:
        break;
    default:
        return {};
    }
    switch (column) {
    case Fate: {
        const std::optional<Outcome> outcome = verdict(blend, object);
        return outcome ? outcomeLook(*outcome).title.toLower() : QString();
    }
    case Name:
        if (child) return tr("object %1").arg(object ? object->id : 0);
        return object ? tr("Object %1").arg(object->id) : tr("Blend %1").arg(blend.id);
    case Count:
        return child ? QVariant() : QVariant(QString::number(blend.objects.size()));
    case Magnitude: {
        const auto [f, e] = flux(blend, object, m_band);
        const auto k = static_cast<std::size_t>(std::max(0, m_band));
        const double zp = m_scene && k < m_scene->bands.size() ? m_scene->bands[k].zeroPoint : kNone;
        return std::isfinite(zp) ? formatMagnitude(f, e, zp) : formatFlux(f, e);
    }
    case Colour:
        return formatFixed(number(blend, object, column), 2);
    case SignalToNoise:
        return formatValue(number(blend, object, column));
    case X:
    case Y:
        return formatFixed(number(blend, object, column), object ? 2 : 0);
    case Radius:
        return object ? formatFixed(number(blend, object, column), 2) : QString();
    case Blendedness:
        return formatFixed(number(blend, object, column), 2);
    case Flags: {
        // That a child is blended is what the tree shows already.
        const std::uint32_t flags = object ? object->flags | (child ? 0u : blend.flags) : blend.flags;
        return flagWords(flags & ~std::uint32_t(FlagBlended)).replace(QLatin1Char('|'), QLatin1String(", "));
    }
    case What:
        return object && !object->note.isEmpty() ? object->note : child ? QString() : blend.message;
    default:
        return {};
    }
}

QVariant ResultModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal) return {};
    const auto bandName = [this](int band) {
        return m_result && band >= 0 && band < m_result->bands.size() ? m_result->bands[band] : QString();
    };
    const bool mags = m_scene && m_band >= 0 && static_cast<std::size_t>(m_band) < m_scene->bands.size() &&
                      std::isfinite(m_scene->bands[static_cast<std::size_t>(m_band)].zeroPoint);
    if (role == Qt::TextAlignmentRole) {
        return int((section == Name || section == Flags || section == What || section == Fate ? Qt::AlignLeft
                                                                                              : Qt::AlignRight) |
                   Qt::AlignVCenter);
    }
    if (role == Qt::ToolTipRole) {
        switch (section) {
        case Count:
            return tr("Objects in the blend (filter: n)");
        case Magnitude:
            return mags ? tr("Best estimate of the total, AB magnitude (filter: mag)")
                        : tr("Best estimate of the total, counts: the scene has no zero point");
        case Colour:
            return tr("Difference of the magnitudes in two neighbouring bands (filter: colour)");
        case SignalToNoise:
            return tr("Flux over its error in this band (filter: snr)");
        case X:
        case Y:
            return tr("Position, pixel, 0-based (filter: x, y)");
        case Radius:
            return tr("Half-light radius as seen, pixel (filter: r)");
        case Fate:
            return tr("What became of it, held against the truth (Judge mode); filter by its word: shredded");
        case Blendedness:
            return tr("0 alone, towards 1 buried in its neighbours' light (filter: blendedness)");
        default:
            return {};
        }
    }
    if (role != Qt::DisplayRole) return {};
    switch (section) {
    case Fate:
        return tr("Outcome");
    case Name:
        return tr("Blend / object");
    case Count:
        return tr("n");
    case Magnitude:
        return mags ? tr("%1 mag").arg(bandName(m_band)) : tr("%1 flux").arg(bandName(m_band));
    case Colour: {
        const int blue = m_band > 0 ? m_band - 1 : 0;
        return m_result && m_result->bands.size() > 1
                   ? QStringLiteral("%1 \u2212 %2").arg(bandName(blue), bandName(blue + 1))
                   : tr("Colour");
    }
    case SignalToNoise:
        return tr("%1 S/N").arg(bandName(m_band));
    case X:
        return tr("x");
    case Y:
        return tr("y");
    case Radius:
        return tr("r\u00bd (px)");
    case Blendedness:
        return tr("Blended");
    case Flags:
        return tr("Flags");
    case What:
        return tr("What happened");
    default:
        return {};
    }
}

} // namespace blendscope
