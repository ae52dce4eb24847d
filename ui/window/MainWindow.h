#pragma once

#include "document/Document.h"
#include "view/ViewTypes.h"

#include <QElapsedTimer>
#include <QMainWindow>

class QComboBox;
class QDockWidget;
class QDoubleSpinBox;
class QLabel;
class QMenu;
class QScrollArea;
class QStackedWidget;
class QTimer;
class QToolBar;

namespace blendscope {

class ActionRegistry;
class BlendsPanel;
class BlinkTimer;
class CheatSheet;
class CommandPalette;
class InspectorPanel;
class JobStatus;
class JudgeMode;
class LayoutKeeper;
class LayersPanel;
class MessageBar;
class MethodPanel;
class RecentFiles;
class ScenePanel;
class Section;
class StartPage;
class StretchPanel;
class TrainPanel;
class TrainSession;
class ViewArea;

/// The window: wires document, picture and panels together, and holds the list of everything that can be done.
class MainWindow final : public QMainWindow {
    Q_OBJECT

public:
    explicit MainWindow(QWidget* parent = nullptr);
    ~MainWindow() override;

    [[nodiscard]] Document* document() const { return m_document; }
    [[nodiscard]] ActionRegistry* actionRegistry() const { return m_actions; }
    [[nodiscard]] ViewArea* viewArea() const { return m_view; }
    [[nodiscard]] BlendsPanel* blends() const { return m_blends; }
    [[nodiscard]] InspectorPanel* inspector() const { return m_inspector; }
    [[nodiscard]] JudgeMode* judge() const { return m_judge; }
    [[nodiscard]] MethodPanel* method() const { return m_method; }
    [[nodiscard]] MessageBar* messages() const { return m_messages; }
    [[nodiscard]] BlinkTimer* blink() const { return m_blink; }
    [[nodiscard]] RecentFiles* recent() const { return m_recent; }
    [[nodiscard]] QWidget* startPage() const;
    [[nodiscard]] bool startPageShown() const;

    /// What the window is for at the moment; panels that a mode does not need are gone.
    enum class Mode { Look, Judge };
    [[nodiscard]] Mode mode() const { return m_mode; }
    void setMode(Mode mode);
    void showMetrics(bool on); ///< in Judge mode: the plots in the middle, or the picture
    [[nodiscard]] bool metricsShown() const { return m_plots && m_mode == Mode::Judge; }
    /// From nothing to two settings of a detector judged on a simulated scene, without a further question.
    void simulateAndCompare();
    /// The selected blend as a figure (PNG, SVG, PDF), as the inspector of this mode shows it; written in the
    /// background.
    void saveFigure(const QString& path);

    void open(const QStringList& paths, const OpenOptions& options = {}, bool run = false);
    void openDemo();
    void run();
    /// The pipeline that Run takes: "threshold+factorize" or JSON; words in the message bar if it makes no sense. Waits
    /// for the methods to be looked up, so it may be called at once.
    void setPipeline(const QString& text);
    /// Nothing runs and everything is on screen.
    [[nodiscard]] bool settled() const;
    /// Selects the blend that shows most and brings it into the picture.
    void showMostInteresting();
    /// Takes the arrangement of the window from the last time, and remembers it from now on.
    void restoreLayout();
    void resetLayout();
    /// The panel that trains methods, made when it is first asked for.
    TrainPanel* showTraining();
    [[nodiscard]] TrainSession* training() const { return m_train; }
    /// Answers "cancel and close" without asking (tests and unattended runs).
    void setAskBeforeClosing(bool ask) { m_ask = ask; }

Q_SIGNALS:
    void firstPainted();

protected:
    void closeEvent(QCloseEvent* event) override;
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dropEvent(QDropEvent* event) override;
    bool event(QEvent* event) override;
    void changeEvent(QEvent* event) override;

private:
    void buildActions();
    void buildMenus();
    void buildToolBar();
    void buildDocks();
    void buildStatusBar();
    void connectDocument();
    void refresh();
    void refreshResults();
    void refreshPipelines();
    void refreshDisplay();
    void refreshRecentMenu();
    void showReadout(const ViewReadout& readout);
    void showHeader(const QString& path, int hdu);
    void chooseFiles();
    void chooseSimulation();
    void chooseEvaluation();
    /// Runs a pipeline; asks first where it holds a TorchScript model that was not trusted yet.
    void runTrusted(const Pipeline& pipeline);
    void chooseFigure();
    void saveResult();
    void openResultFolder();
    void setThemeChoice(const QString& name);
    void showMenu(QPoint position);
    void tryWaitingRun();
    void peek();
    void stepBand(int steps);
    void cutAtCursor(bool high);
    void layOutDocks(); ///< as they are at first
    void refreshBlink();
    [[nodiscard]] QString modeName() const; ///< under which its layout is remembered
    bool eventFilter(QObject* watched, QEvent* event) override;

    Document* m_document;
    ActionRegistry* m_actions;
    RecentFiles* m_recent;
    QStackedWidget* m_pages;
    StartPage* m_start;
    ViewArea* m_view;
    MessageBar* m_messages;
    ScenePanel* m_scenePanel;
    MethodPanel* m_method;
    LayersPanel* m_layers;
    StretchPanel* m_stretch;
    InspectorPanel* m_inspector;
    BlendsPanel* m_blends;
    JudgeMode* m_judge;
    BlinkTimer* m_blink;
    TrainSession* m_train;
    TrainPanel* m_trainPanel = nullptr;
    std::unique_ptr<LayoutKeeper> m_layout;
    Section* m_methodSection = nullptr;
    Section* m_judgeSection = nullptr;
    Section* m_injectSection = nullptr;
    Section* m_stretchSection = nullptr;
    QStackedWidget* m_rightPages = nullptr;  ///< inspector of each mode
    QStackedWidget* m_bottomPages = nullptr; ///< table, or filmstrip
    Mode m_mode = Mode::Look;
    bool m_plots = false; ///< Judge mode shows its metrics in the middle
    QScrollArea* m_leftScroll = nullptr;
    QDockWidget* m_left = nullptr;
    QDockWidget* m_right = nullptr;
    QDockWidget* m_bottom = nullptr;
    QToolBar* m_toolBar = nullptr;
    QComboBox* m_pipelines = nullptr;
    QComboBox* m_results = nullptr;
    QAction* m_showLabel = nullptr; ///< "Result" before the box, hidden with it
    QDoubleSpinBox* m_blinkSeconds = nullptr;
    QAction* m_blinkAction = nullptr; ///< the box in the tool bar, there while blinking
    QLabel* m_resultLabel = nullptr;
    QLabel* m_readout = nullptr;
    JobStatus* m_jobStatus = nullptr;
    QMenu* m_recentMenu = nullptr;
    CommandPalette* m_palette = nullptr;
    CheatSheet* m_sheet = nullptr;
    QString m_wantedPipeline;
    QStringList m_waitingResults; ///< folders to be shown on top of the scene that is being opened
    bool m_runWhenReady = false;
    bool m_ask = true;
    bool m_painted = false;
    bool m_laidOut = false;
    bool m_hidden = false;      ///< overlays are peeked under
    OverlayStyle m_hiddenStyle; ///< what comes back
    QElapsedTimer m_peekClock;
    ViewReadout m_lastReadout;
    int m_lastScene = 0; ///< id of the newest scene that is in the recent files
};

} // namespace blendscope
