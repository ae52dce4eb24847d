#pragma once

#include "judge/Judgement.h"

#include <QAbstractListModel>
#include <QMap>
#include <QSet>
#include <memory>
#include <optional>
#include <vector>

namespace blendscope {

using JudgementPtr = std::shared_ptr<const Judgement>;

/// The judged blends of a result as a list: groups by outcome, filtered by outcome, sorted within a group. Groups of
/// one object are in it only where something went wrong with them (lost, spurious).
class OutcomeModel final : public QAbstractListModel {
    Q_OBJECT

public:
    enum class Sort { Place, SignalToNoise, Separation, Disagreement, Members };
    enum Role { BlendRole = Qt::UserRole, OutcomeRole, BoxRole, MembersRole, DetectionsRole, SuspectedRole };

    explicit OutcomeModel(QObject* parent = nullptr);

    /// `others`: judgements of the same scene by other methods, for the disagreement.
    /// `suspected`: a judgement without truth, every group of which is listed.
    void setJudgement(JudgementPtr judgement, const std::vector<JudgementPtr>& others = {}, bool suspected = false);
    [[nodiscard]] const JudgementPtr& judgement() const { return m_judgement; }
    /// Outcomes to show; empty = all.
    void setShown(const QSet<int>& outcomes);
    [[nodiscard]] const QSet<int>& shown() const { return m_shown; }
    /// Only these groups (a bin of a plot), also those that are not listed otherwise; nothing = all.
    void setOnly(std::optional<QSet<int>> blends);
    [[nodiscard]] bool restricted() const { return m_only.has_value(); }
    void setSort(Sort sort, bool descending);

    [[nodiscard]] int count(Outcome outcome) const { return m_counts.value(outcome); } ///< whatever is shown
    [[nodiscard]] int total() const { return m_total; }                                ///< that are listed
    [[nodiscard]] int blendAt(int row) const;                                          ///< 0 for an invalid row
    [[nodiscard]] int rowOf(int blend) const;                                          ///< -1 = not shown
    [[nodiscard]] int step(int fromBlend, int steps) const; ///< the blend `steps` further, round; 0 = nothing is shown

    /// Least distance between two members, pixel; NaN for fewer than two.
    [[nodiscard]] static double separation(const Judgement& judgement, const BlendVerdict& blend);
    /// Noiseless S/N of the second brightest member, of the only one where there is one; NaN = unknown.
    [[nodiscard]] static double signalToNoise(const Judgement& judgement, const BlendVerdict& blend);
    /// The blend of another judgement that holds the same true object (or, without any, lies at the same place); null =
    /// none.
    [[nodiscard]] static const BlendVerdict* counterpart(const BlendVerdict& blend, const Judgement& other);
    /// Whether a group belongs into the list.
    [[nodiscard]] static bool listed(const BlendVerdict& blend);

    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;

private:
    struct Row {
        int blend = 0; ///< index into the judgement's blends
        double snr = 0.0, separation = 0.0, disagreement = 0.0;
    };
    void rebuild();

    JudgementPtr m_judgement;
    std::vector<Row> m_all; ///< every group, listed or not
    int m_total = 0;
    std::vector<int> m_rows; ///< into m_all
    QMap<int, int> m_rowOf;  ///< blend id to row
    QMap<Outcome, int> m_counts;
    QSet<int> m_shown;
    std::optional<QSet<int>> m_only;
    Sort m_sort = Sort::SignalToNoise;
    bool m_descending = true;
    bool m_suspected = false;
};

} // namespace blendscope
