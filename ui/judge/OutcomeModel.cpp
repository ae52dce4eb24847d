#include "judge/OutcomeModel.h"

#include "figure/OutcomeLook.h"

#include <algorithm>
#include <cmath>

namespace blendscope {

namespace {
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
} // namespace

OutcomeModel::OutcomeModel(QObject* parent) : QAbstractListModel(parent) {}

bool OutcomeModel::listed(const BlendVerdict& blend) {
    return blend.isBlend() || (blend.known && (blend.outcome == Outcome::Lost || blend.outcome == Outcome::Spurious));
}

double OutcomeModel::separation(const Judgement& judgement, const BlendVerdict& blend) {
    double least = kNone;
    for (std::size_t i = 0; i < blend.members.size(); ++i) {
        const TruthVerdict* a = judgement.object(blend.members[i]);
        for (std::size_t j = 0; a && j < i; ++j) {
            const TruthVerdict* b = judgement.object(blend.members[j]);
            if (!b) continue;
            const double d = std::hypot(a->x - b->x, a->y - b->y);
            if (!(d >= least)) least = d;
        }
    }
    return least;
}

double OutcomeModel::signalToNoise(const Judgement& judgement, const BlendVerdict& blend) {
    std::vector<double> snr;
    for (const int id : blend.members) {
        const TruthVerdict* t = judgement.object(id);
        if (t && std::isfinite(t->snr)) snr.push_back(t->snr);
    }
    std::sort(snr.rbegin(), snr.rend());
    return snr.empty() ? kNone : snr[std::min<std::size_t>(1, snr.size() - 1)];
}

const BlendVerdict* OutcomeModel::counterpart(const BlendVerdict& blend, const Judgement& other) {
    for (const int id : blend.members) {
        const TruthVerdict* t = other.object(id);
        const BlendVerdict* b = t ? other.blend(t->blend) : nullptr;
        if (b) return b;
    }
    const BlendVerdict* best = nullptr;
    long long most = 0;
    for (const BlendVerdict& b : other.blends) {
        const long long common = b.box.intersected(blend.box).area();
        if (common > most) {
            most = common;
            best = &b;
        }
    }
    return best;
}

void OutcomeModel::setJudgement(JudgementPtr judgement, const std::vector<JudgementPtr>& others, bool suspected) {
    beginResetModel();
    if (judgement != m_judgement) m_only.reset();
    m_judgement = std::move(judgement);
    m_all.clear();
    m_counts.clear();
    m_suspected = suspected;
    m_total = 0;
    if (m_judgement) {
        for (std::size_t i = 0; i < m_judgement->blends.size(); ++i) {
            const BlendVerdict& b = m_judgement->blends[i];
            Row row{static_cast<int>(i), signalToNoise(*m_judgement, b), separation(*m_judgement, b), 0.0};
            for (const JudgementPtr& other : others) {
                const BlendVerdict* there = other && !b.members.empty() ? counterpart(b, *other) : nullptr;
                if (there && there->outcome != b.outcome) row.disagreement += 1.0 / double(others.size());
            }
            m_all.push_back(row);
            if (!m_suspected && !listed(b)) continue;
            ++m_counts[b.outcome];
            ++m_total;
        }
    }
    rebuild();
    endResetModel();
}

void OutcomeModel::setShown(const QSet<int>& outcomes) {
    beginResetModel();
    m_shown = outcomes;
    rebuild();
    endResetModel();
}

void OutcomeModel::setOnly(std::optional<QSet<int>> blends) {
    beginResetModel();
    m_only = std::move(blends);
    rebuild();
    endResetModel();
}

void OutcomeModel::setSort(Sort sort, bool descending) {
    beginResetModel();
    m_sort = sort;
    m_descending = descending;
    rebuild();
    endResetModel();
}

void OutcomeModel::rebuild() {
    m_rows.clear();
    m_rowOf.clear();
    if (!m_judgement) return;
    const auto verdict = [this](int i) -> const BlendVerdict& {
        return m_judgement->blends[static_cast<std::size_t>(m_all[static_cast<std::size_t>(i)].blend)];
    };
    for (int i = 0; i < static_cast<int>(m_all.size()); ++i) {
        const BlendVerdict& b = verdict(i);
        if (m_only ? !m_only->contains(b.id) : !m_suspected && !listed(b)) continue;
        if (m_shown.isEmpty() || m_shown.contains(static_cast<int>(b.outcome))) m_rows.push_back(i);
    }
    const auto key = [this, &verdict](int i) {
        const Row& r = m_all[static_cast<std::size_t>(i)];
        switch (m_sort) {
        case Sort::SignalToNoise:
            return r.snr;
        case Sort::Separation:
            return r.separation;
        case Sort::Disagreement:
            return r.disagreement;
        case Sort::Members:
            return double(verdict(i).members.size());
        case Sort::Place:
            break;
        }
        return double(verdict(i).id);
    };
    std::stable_sort(m_rows.begin(), m_rows.end(), [&](int a, int b) {
        const int ra = outcomeRank(verdict(a).outcome), rb = outcomeRank(verdict(b).outcome);
        if (ra != rb) return ra < rb;
        const double ka = key(a), kb = key(b);
        if (std::isnan(ka) || std::isnan(kb)) return !std::isnan(ka) && std::isnan(kb); // unknown last
        return m_descending ? ka > kb : ka < kb;
    });
    for (std::size_t r = 0; r < m_rows.size(); ++r) {
        m_rowOf.insert(verdict(m_rows[r]).id, static_cast<int>(r));
    }
}

int OutcomeModel::blendAt(int row) const {
    if (row < 0 || row >= rowCount()) return 0;
    const Row& r = m_all[static_cast<std::size_t>(m_rows[static_cast<std::size_t>(row)])];
    return m_judgement->blends[static_cast<std::size_t>(r.blend)].id;
}

int OutcomeModel::rowOf(int blend) const {
    return m_rowOf.value(blend, -1);
}

int OutcomeModel::step(int fromBlend, int steps) const {
    const int n = rowCount();
    if (n == 0) return 0;
    const int at = rowOf(fromBlend);
    if (at < 0) return blendAt(steps > 0 ? 0 : n - 1);
    return blendAt(((at + steps) % n + n) % n);
}

int OutcomeModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(m_rows.size());
}

QVariant OutcomeModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid() || index.row() >= rowCount()) return {};
    const Row& r = m_all[static_cast<std::size_t>(m_rows[static_cast<std::size_t>(index.row())])];
    const BlendVerdict& b = m_judgement->blends[static_cast<std::size_t>(r.blend)];
    switch (role) {
    case BlendRole:
        return b.id;
    case OutcomeRole:
        return static_cast<int>(b.outcome);
    case BoxRole:
        return QRect(b.box.x0, b.box.y0, b.box.width, b.box.height);
    case SuspectedRole:
        return m_suspected;
    case MembersRole:
        return static_cast<int>(b.members.size());
    case DetectionsRole:
        return static_cast<int>(b.detections.size());
    case Qt::DisplayRole:
        return QString::number(b.id);
    case Qt::AccessibleTextRole:
    case Qt::ToolTipRole: {
        QString text = (m_suspected ? tr("Blend %1: suspected %2") : tr("Blend %1: %2"))
                           .arg(b.id)
                           .arg(outcomeLook(b.outcome).title.toLower());
        if (std::isfinite(r.snr)) text += tr("\nS/N of the second brightest %1").arg(r.snr, 0, 'f', 1);
        if (std::isfinite(r.separation)) text += tr("\nleast separation %1 px").arg(r.separation, 0, 'f', 1);
        if (!b.words.isEmpty()) text += QLatin1Char('\n') + b.words;
        return text;
    }
    default:
        return {};
    }
}

} // namespace blendscope
