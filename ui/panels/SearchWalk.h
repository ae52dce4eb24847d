#pragma once

#include "core/Result.h"
#include "core/Scene.h"
#include "document/LatestTask.h"
#include "jobs/Progress.h"
#include "method/SearchSteps.h"
#include "panels/PictureBoard.h"

#include <QWidget>
#include <map>
#include <memory>
#include <vector>

class QLabel;
class QToolButton;

namespace blendscope {

/// Walks through a method's search for more sources in a blend: one source, what it leaves, one more, what that
/// leaves; with the reason of each, and of each place that was tried and rejected. The states are fitted in a thread
/// of their own when they are first asked for.
class SearchWalk final : public QWidget {
    Q_OBJECT

public:
    explicit SearchWalk(QWidget* parent = nullptr);
    ~SearchWalk() override;

    /// Starts anew with the result as it is. A blend without candidates has no search to walk through.
    void setBlend(const ScenePtr& scene, const ResultPtr& result, int blendId);
    [[nodiscard]] bool hasSearch() const;
    void walk(int states); ///< forwards or back; beyond the ends: the result as it is
    /// The state shown, as a result of this blend alone; null: the result as it is.
    [[nodiscard]] ResultPtr shown() const;
    /// Crosses at the places that the text names, under negative ids: rejected candidates.
    [[nodiscard]] std::map<int, PictureBoard::Label> marks() const;
    [[nodiscard]] bool settled() const { return m_task.idle() && !m_waiting; }
    [[nodiscard]] QString words() const;                ///< what is written, for tests
    [[nodiscard]] int state() const { return m_state; } ///< -1 = the result as it is

Q_SIGNALS:
    void changed();
    void objectClicked(int objectId);

private:
    void compute();
    void refreshTexts();

    ScenePtr m_scene;
    ResultPtr m_result;
    int m_blend = 0;
    int m_state = -1, m_wanted = -1;
    int m_chosen = 0; ///< of the rejected ones, from 1
    bool m_waiting = false;
    QString m_problem;
    std::shared_ptr<const std::vector<SearchStep>> m_steps;
    QLabel* m_title;
    QLabel* m_text;
    QToolButton* m_back;
    QToolButton* m_forward;
    CancelToken m_cancel;
    std::uint64_t m_request = 0;
    LatestTask m_task;
};

} // namespace blendscope
