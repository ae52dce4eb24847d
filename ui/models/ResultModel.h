#pragma once

#include "core/Result.h"
#include "core/Scene.h"
#include "judge/Outcome.h"
#include "models/RowFilter.h"

#include <QAbstractItemModel>
#include <QColor>
#include <functional>
#include <optional>
#include <vector>

namespace blendscope {

/// Blends of a result as rows, the objects of a blend of several below it; an isolated object is one row. Sorts and
/// filters by itself on the result's own arrays, so that 10^5 rows cost milliseconds.
class ResultModel final : public QAbstractItemModel {
    Q_OBJECT

public:
    enum Column {
        Name,
        Count,
        Magnitude,
        Colour,
        SignalToNoise,
        X,
        Y,
        Radius,
        Blendedness,
        Flags,
        What,
        Fate,
        Columns
    };
    enum class Show { All, Blends, Isolated };
    enum Role { BlendIdRole = Qt::UserRole, ObjectIdRole, SortRole };

    explicit ResultModel(QObject* parent = nullptr);

    /// A new snapshot; keeps sorting and filter. The scene gives zero points.
    void setResult(ResultPtr result, ScenePtr scene);
    [[nodiscard]] ResultPtr result() const { return m_result; }
    void setFilter(const RowFilter& filter);
    void setShow(Show show);
    [[nodiscard]] Show shown() const { return m_show; }
    /// The band of magnitude and S/N; the default is the one with the best median S/N over the first snapshot.
    void setBand(int band);
    [[nodiscard]] int band() const { return m_band; }
    /// Colour of an object in the picture, for the chip beside its name.
    void setObjectColor(std::function<QColor(int)> color) { m_color = std::move(color); }
    /// What became of a blend (object 0) or an object, where judged; nothing = an empty column.
    void setVerdict(std::function<std::optional<Outcome>(int blendId, int objectId)> verdict);
    /// The row of what the mouse is over has a tinted ground.
    void setHovered(int blendId, int objectId);
    [[nodiscard]] static QStringList filterNames();

    [[nodiscard]] int blendsTotal() const;                ///< footprints with several objects
    [[nodiscard]] int isolatedTotal() const;              ///< footprints with one
    [[nodiscard]] int objectsShown() const;               ///< in all rows, closed ones included
    [[nodiscard]] std::vector<int> hiddenObjects() const; ///< ids that filter and Show leave out

    [[nodiscard]] QModelIndex indexOfBlend(int blendId) const;
    [[nodiscard]] QModelIndex indexOfObject(int objectId) const; ///< the blend's row for an isolated object
    [[nodiscard]] int blendId(const QModelIndex& index) const;   ///< 0 for an invalid index
    [[nodiscard]] int objectId(const QModelIndex& index) const;  ///< 0 for the row of a blend of several
    /// The blend `steps` rows after this one (before: negative), round; only those of several objects where there are
    /// any. 0 if the table is empty.
    [[nodiscard]] int stepBlend(int fromBlendId, int steps) const;

    [[nodiscard]] QModelIndex index(int row, int column, const QModelIndex& parent = {}) const override;
    [[nodiscard]] QModelIndex parent(const QModelIndex& child) const override;
    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
    [[nodiscard]] QVariant headerData(int section, Qt::Orientation orientation, int role) const override;
    void sort(int column, Qt::SortOrder order = Qt::AscendingOrder) override;

private:
    void rebuild();
    void order();
    [[nodiscard]] const Blend& blendAt(int row) const;
    [[nodiscard]] const Object* objectAt(const QModelIndex& index) const; ///< null for a blend of several
    [[nodiscard]] double number(const Blend& blend, const Object* object, int column) const;
    [[nodiscard]] std::optional<Outcome> verdict(const Blend& blend, const Object* object) const;
    [[nodiscard]] QString words(const Blend& blend, const Object* object) const;
    [[nodiscard]] std::pair<double, double> flux(const Blend& blend, const Object* object, int band) const;

    ResultPtr m_result;
    ScenePtr m_scene;
    RowFilter m_filter;
    Show m_show = Show::All;
    int m_band = -1;
    int m_sortColumn = Name;
    Qt::SortOrder m_sortOrder = Qt::AscendingOrder;
    std::function<QColor(int)> m_color;
    std::function<std::optional<Outcome>(int, int)> m_verdict;
    std::pair<int, int> m_hovered{0, 0};      ///< blend, object
    std::vector<int> m_rows;                  ///< blend indices in the order shown
    std::vector<int> m_rowOf;                 ///< row of a blend index, -1 = hidden
    std::vector<std::vector<int>> m_children; ///< object ids of a blend index in the order shown; empty if isolated
};

} // namespace blendscope
