#pragma once

#include "core/Result.h"
#include "core/Scene.h"
#include "io/SceneReader.h"
#include "jobs/Job.h"
#include "method/Pipeline.h"
#include "method/Registry.h"

#include <QDateTime>
#include <QObject>
#include <QStringList>
#include <QTimer>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace blendscope {

class SceneSamples;

/// Something selected: an object of a blend, or a whole blend (object = 0), or nothing (both 0).
struct Selection {
    int blend = 0;
    int object = 0;
    [[nodiscard]] bool empty() const { return blend == 0 && object == 0; }
    friend bool operator==(const Selection&, const Selection&) = default;
};

/// One run of a pipeline on a scene, or a result folder that was opened.
struct ResultEntry {
    int id = 0;
    QString name; ///< "threshold+factorize"; with a number where the scene has several of that name
    Pipeline pipeline;
    QString folder;   ///< where it was read from or last saved; empty = nowhere
    ResultPtr result; ///< a snapshot, replaced while the run goes on; null until there is something to show
    JobPtr job;       ///< null for a result that was read
    bool running = false;
    QString problem; ///< why the run failed, a sentence
    QDateTime started;
    double seconds = 0.0;
};

/// An open scene with what was found in it.
struct SceneEntry {
    int id = 0;
    ScenePtr scene;
    std::shared_ptr<SceneSamples> samples;
    QStringList paths; ///< what was opened, for the list of recent files; empty for a simulated scene
    double readSeconds = 0.0;
    std::vector<std::shared_ptr<ResultEntry>> results;
    int currentResult = -1;
};

/// Everything that the window works on: open scenes, their results, the selection, and the jobs behind them. Lives in
/// the GUI thread and never waits there: files are read, scenes simulated and methods run as jobs; what they find
/// arrives as immutable snapshots, at most ten times a second.
class Document final : public QObject {
    Q_OBJECT

public:
    enum class Severity { Notice, Warning, Error };
    Q_ENUM(Severity)

    explicit Document(QObject* parent = nullptr);
    /// Cancels what runs and waits for it (0.2 s).
    ~Document() override;

    // Scenes
    /// Opens files, folders or lists in the background; scenes appear one after the other, the first becomes current.
    void open(const QStringList& paths, const OpenOptions& options = {});
    /// Draws a scene of a recipe ("demo" or a file) in the background.
    void simulate(const QString& recipe, std::uint64_t seed);
    /// Adds a scene that is in memory already.
    int addScene(ScenePtr scene, const QStringList& paths = {});
    void closeScene(int index);
    [[nodiscard]] const std::vector<SceneEntry>& scenes() const { return m_scenes; }
    [[nodiscard]] int currentIndex() const { return m_current; } ///< -1 = none
    void setCurrentIndex(int index);
    [[nodiscard]] const SceneEntry* current() const; ///< null if no scene is open
    [[nodiscard]] ScenePtr scene() const;

    // Results
    /// Runs a pipeline on the current scene in the background; its result becomes current at once and fills blend by
    /// blend. Without a name it has the pipeline's. Returns its id, 0 if no scene is open.
    int run(const Pipeline& pipeline, const QString& name = {});
    /// A result that is in memory already, on the current scene; shown at once. Returns its id, 0 if no scene is open.
    int addResult(ResultPtr result, const QString& name);
    void cancelRun(); ///< of the current scene; what is done stays
    void cancelAll();
    void openResult(const QString& folder);
    void saveResult(const QString& folder);
    void removeResult(int resultId);
    [[nodiscard]] const ResultEntry* currentResult() const; ///< null if none
    [[nodiscard]] const ResultEntry* resultEntry(int resultId) const;
    [[nodiscard]] ResultPtr result() const; ///< snapshot of the current result, may be null
    void setCurrentResult(int index);
    void stepResult(int steps);         ///< forwards or backwards, round
    [[nodiscard]] bool running() const; ///< a pipeline is at work on the current scene

    // Selection
    [[nodiscard]] Selection selection() const { return m_selection; }
    /// The parent of an object is filled in; ids that the result does not have are dropped.
    void setSelection(Selection selection);
    /// What another result of the same scene has at the place of a selection: the nearest object, or its blend.
    [[nodiscard]] static Selection counterpart(Selection selection, const Result& from, const Result& to);
    void selectObject(int objectId) { setSelection({0, objectId}); }
    void selectBlend(int blendId) { setSelection({blendId, 0}); }
    /// What the mouse is over, in the picture, the table or the inspector: lit up in all of them.
    [[nodiscard]] Selection hovered() const { return m_hovered; }
    void setHovered(Selection hovered);
    /// The blend that shows best what deblending does: several objects, bright, away from the border. 0 = none.
    [[nodiscard]] static int mostInterestingBlend(const Result& result, const Scene& scene);

    // Methods and jobs
    /// The installed methods; null until they have been looked up in the background.
    [[nodiscard]] std::shared_ptr<const Registry> registry() const { return m_registry; }
    void setRegistry(std::shared_ptr<const Registry> registry);
    [[nodiscard]] std::vector<JobPtr> activeJobs() const; ///< queued or running, oldest first
    [[nodiscard]] bool busy() const { return !m_pending.empty(); }
    /// Any other work in the background; `done` runs in the GUI thread when it is over.
    JobPtr start(const QString& title, std::function<void(Progress&)> work, std::function<void(const Job&)> done);

Q_SIGNALS:
    void scenesChanged();
    void currentSceneChanged();
    void resultsChanged();       ///< of the current scene: one came, went, ended or was saved
    void currentResultChanged(); ///< another result is shown
    void resultUpdated();        ///< the shown result has a new snapshot
    void selectionChanged();
    void hoveredChanged();
    void registryChanged();
    void jobsChanged(); ///< progress, at most ten times a second, and once when all is over
    void runFinished(int resultId);
    void idle(); ///< no job is left
    void message(blendscope::Document::Severity severity, const QString& text);

private:
    struct Pending {
        JobPtr job;
        std::function<void(const Job&)> done;
    };
    struct Live; // newest snapshot of a run, between its thread and ours

    void tick();
    void poke(); // from any thread
    void adopt(std::vector<ScenePtr> scenes, const QStringList& paths, double seconds);
    SceneEntry* sceneById(int id);
    ResultEntry* entry(int sceneId, int resultId);
    void fixSelection();
    [[nodiscard]] Selection existing(Selection wanted) const; ///< with its parent; empty if the result lacks it

    std::vector<SceneEntry> m_scenes;
    int m_current = -1;
    int m_nextId = 1;
    Selection m_selection;
    Selection m_hovered;
    std::shared_ptr<const Registry> m_registry;
    std::vector<Pending> m_pending;
    struct Running {
        int sceneId;
        int resultId;
        std::shared_ptr<Live> live;
    };
    std::vector<Running> m_running;
    QTimer m_timer;
    std::unique_ptr<JobQueue> m_jobs; // last, so that its threads end before anything else goes
};

} // namespace blendscope
