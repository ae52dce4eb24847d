#include "window/MainWindow.h"

#include "actions/ActionRegistry.h"
#include "figure/BlendFigure.h"
#include "figure/FigureFile.h"
#include "figure/JudgedFigure.h"
#include "judge/EvaluateDialog.h"
#include "judge/InjectPanel.h"
#include "judge/InjectTool.h"
#include "judge/JudgeInspector.h"
#include "judge/JudgeMode.h"
#include "judge/JudgePanel.h"
#include "judge/MetricsView.h"
#include "judge/OutcomePanel.h"
#include "judge/SettingsComparison.h"
#include "judge/SimulateDialog.h"
#include "models/Format.h"
#include "models/ResultModel.h"
#include "panels/BlendsPanel.h"
#include "panels/InspectorPanel.h"
#include "panels/LayersPanel.h"
#include "panels/MethodPanel.h"
#include "panels/ScenePanel.h"
#include "panels/Section.h"
#include "panels/SideColumn.h"
#include "panels/StretchPanel.h"
#include "theme/Icons.h"
#include "theme/Theme.h"
#include "train/TrainSession.h"
#include "view/SceneView.h"
#include "window/BlinkTimer.h"
#include "window/HeaderDialog.h"
#include "window/JobStatus.h"
#include "window/LayoutKeeper.h"
#include "window/MessageBar.h"
#include "window/RecentFiles.h"
#include "window/StartPage.h"
#include "window/ViewArea.h"

#include <QAction>
#include <QApplication>
#include <QCloseEvent>
#include <QComboBox>
#include <QDockWidget>
#include <QDoubleSpinBox>
#include <QDragEnterEvent>
#include <QFileDialog>
#include <QFileInfo>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QMenuBar>
#include <QMessageBox>
#include <QMimeData>
#include <QPointer>
#include <QPushButton>
#include <QScrollArea>
#include <QSettings>
#include <QSignalBlocker>
#include <QStackedWidget>
#include <QStatusBar>
#include <QTimer>
#include <QToolBar>
#include <QToolButton>
#include <QTreeView>
#include <QVBoxLayout>
#include <cmath>
#include <utility>

namespace blendscope {

namespace {

constexpr int kHoldMs = 350; ///< a key held longer than this is a peek, not a toggle

QString title(const MainWindow* window) {
    const ScenePtr scene = window->document()->scene();
    return scene ? QStringLiteral("%1 \u2013 Blendscope").arg(scene->id) : QStringLiteral("Blendscope");
}

} // namespace

MainWindow::MainWindow(QWidget* parent)
    : QMainWindow(parent), m_document(new Document(this)), m_actions(new ActionRegistry(this)),
      m_recent(new RecentFiles(this)), m_pages(new QStackedWidget), m_start(new StartPage(m_recent)),
      m_view(new ViewArea(m_document)), m_messages(new MessageBar), m_scenePanel(new ScenePanel(m_document)),
      m_method(new MethodPanel), m_layers(new LayersPanel), m_stretch(new StretchPanel),
      m_inspector(new InspectorPanel(m_document)), m_blends(new BlendsPanel(m_document)),
      m_judge(new JudgeMode(m_document, m_view, this)), m_blink(new BlinkTimer(m_document, this)),
      m_train(new TrainSession(m_document, this)), m_layout(std::make_unique<LayoutKeeper>(this)) {
    m_layout->setOn(false);
    setWindowIcon(applicationIcon());
    setAcceptDrops(true);
    setDockNestingEnabled(false);
    setCorner(Qt::BottomLeftCorner, Qt::LeftDockWidgetArea);
    setCorner(Qt::BottomRightCorner, Qt::RightDockWidgetArea);
    setContextMenuPolicy(Qt::NoContextMenu);

    auto* middle = new QWidget;
    auto* layout = new QVBoxLayout(middle);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addWidget(m_messages);
    m_pages->addWidget(m_start);
    m_pages->addWidget(m_view);
    m_pages->addWidget(m_judge->metrics());
    layout->addWidget(m_pages, 1);
    setCentralWidget(middle);

    const auto color = [this](int id) { return m_view->objectColor(id); };
    m_inspector->setObjectColor(color);
    m_blends->setObjectColor(color);

    buildActions();
    buildMenus();
    buildToolBar();
    buildDocks();
    buildStatusBar();
    m_layout->addHeader(QStringLiteral("blends2"), m_blends->view()->header());
    connectDocument();
    resize(1280, 800);
    for (QDockWidget* d : {m_left, m_right, m_bottom}) {
        d->hide(); // until there is a scene
    }
    refreshResults();

    // The methods' descriptions are files: looked up beside the window, not before it.
    auto found = std::make_shared<std::shared_ptr<const Registry>>();
    m_document->start(
        tr("Looking up methods"), [found](Progress&) { *found = std::make_shared<Registry>(); },
        [this, found](const Job& job) {
            if (job.state() == Job::State::Failed) m_messages->post(Document::Severity::Error, job.error());
            m_document->setRegistry(*found ? *found : std::make_shared<Registry>(QStringList()));
        });
}

MainWindow::~MainWindow() = default;

QWidget* MainWindow::startPage() const {
    return m_start;
}

bool MainWindow::startPageShown() const {
    return m_pages->currentWidget() == m_start;
}

// --- building -------------------------------------------------------------------------------------------------------

void MainWindow::refreshRecentMenu() {
    m_recentMenu->clear();
    for (const QStringList& paths : m_recent->entries()) {
        QAction* a = m_recentMenu->addAction(RecentFiles::title(paths), this, [this, paths] { open(paths); });
        a->setToolTip(paths.join(QLatin1Char('\n')));
    }
    if (!m_recentMenu->isEmpty()) {
        m_recentMenu->addSeparator();
        m_recentMenu->addAction(tr("Forget all"), m_recent, &RecentFiles::clear);
    }
    m_recentMenu->setEnabled(!m_recentMenu->isEmpty());
    m_recentMenu->setToolTipsVisible(true);
}

void MainWindow::buildToolBar() {
    m_toolBar = addToolBar(tr("Tools"));
    m_toolBar->setObjectName(QStringLiteral("tools"));
    m_toolBar->setMovable(false);
    m_toolBar->setIconSize(QSize(18, 18));
    m_toolBar->setToolButtonStyle(Qt::ToolButtonIconOnly);
    const auto add = [this](const char* id, bool text = false) {
        QAction* a = m_actions->action(QLatin1String(id));
        m_toolBar->addAction(a);
        auto* button = qobject_cast<QToolButton*>(m_toolBar->widgetForAction(a));
        if (button && text) button->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
        return button;
    };
    m_actions->action(QStringLiteral("file.open"))->setIconText(tr("Open"));
    add("file.open", true);
    m_actions->action(QStringLiteral("scene.simulate"))->setIconText(tr("Simulate"));
    add("scene.simulate", true);
    m_toolBar->addSeparator();
    for (const char* id : {"mode.look", "mode.judge", "judge.metrics"}) {
        add(id)->setToolButtonStyle(Qt::ToolButtonTextOnly);
    }
    m_toolBar->addSeparator();
    m_actions->action(QStringLiteral("judge.metrics"))->setVisible(false); // in Judge mode
    m_pipelines = new QComboBox;
    m_pipelines->setSizeAdjustPolicy(QComboBox::AdjustToContents);
    m_pipelines->setMinimumContentsLength(16);
    m_pipelines->setToolTip(tr("The pipeline: stages of methods"));
    m_pipelines->setAccessibleName(tr("Pipeline"));
    m_toolBar->addWidget(m_pipelines);
    add("run.parameters");
    add("run.start", true);
    add("run.cancel");
    m_toolBar->addSeparator();
    add("view.rgb");
    add("view.single");
    add("view.grid");
    add("view.overlays");
    add("view.fit");
    m_toolBar->addSeparator();
    m_results = new QComboBox;
    m_results->setSizeAdjustPolicy(QComboBox::AdjustToContents);
    m_results->setToolTip(tr("The result shown; B blinks to the next"));
    m_results->setAccessibleName(tr("Result"));
    m_showLabel = m_toolBar->addWidget(new QLabel(tr("Result ")));
    m_toolBar->addWidget(m_results);
    add("compare.blink");
    m_blinkSeconds = new QDoubleSpinBox;
    m_blinkSeconds->setRange(BlinkTimer::kLeastMs / 1000.0, BlinkTimer::kMostMs / 1000.0);
    m_blinkSeconds->setSingleStep(0.1);
    m_blinkSeconds->setDecimals(1);
    m_blinkSeconds->setSuffix(tr(" s"));
    m_blinkSeconds->setToolTip(tr("Time between two flips (Ctrl+[ and Ctrl+])"));
    m_blinkSeconds->setAccessibleName(tr("Time between two flips"));
    m_blinkSeconds->setFocusPolicy(Qt::ClickFocus);
    m_blinkAction = m_toolBar->addWidget(m_blinkSeconds);
    add("compare.side");
    connect(m_blinkSeconds, &QDoubleSpinBox::valueChanged, this,
            [this](double s) { m_blink->setIntervalMs(int(std::lround(s * 1000.0))); });
    connect(m_blink, &BlinkTimer::changed, this, &MainWindow::refreshBlink);
    refreshBlink();
    auto* space = new QWidget;
    space->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Preferred);
    m_toolBar->addWidget(space);
    add("help.search");
    add("help.keys");
    connect(m_pipelines, &QComboBox::activated, this, [this](int i) { setPipeline(m_pipelines->itemText(i)); });
    connect(m_results, &QComboBox::activated, m_document, &Document::setCurrentResult);
    connect(m_method, &MethodPanel::pipelineChanged, this, &MainWindow::refreshPipelines);
}

void MainWindow::buildDocks() {
    const auto dock = [this](const QString& name, const QString& text, QWidget* widget, Qt::DockWidgetArea area) {
        auto* d = new QDockWidget(text);
        d->setObjectName(name);
        d->setWidget(widget);
        d->setFeatures(QDockWidget::DockWidgetClosable | QDockWidget::DockWidgetMovable |
                       QDockWidget::DockWidgetFloatable);
        addDockWidget(area, d);
        return d;
    };
    auto* column = new QWidget;
    auto* layout = new QVBoxLayout(column);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    const auto section = [layout](const char* name, const QString& title, QWidget* body) {
        auto* s = new Section(title, body);
        s->setObjectName(QLatin1String(name)); // under which it is remembered
        layout->addWidget(s);
        return s;
    };
    m_judgeSection = section("judge", tr("Outcomes"), m_judge->panel());
    m_judgeSection->hide();
    m_injectSection = section("inject", tr("Inject a galaxy"), m_judge->injectPanel());
    m_injectSection->hide();
    section("scene", tr("Scene"), m_scenePanel);
    section("layers", tr("Layers"), m_layers);
    m_stretchSection = section("stretch", tr("Stretch"), m_stretch);
    m_methodSection = section("method", tr("Method and parameters"), m_method);
    m_methodSection->setOpen(false);
    layout->addStretch();
    m_leftScroll = new SideColumn(column);
    m_left = dock(QStringLiteral("left"), tr("Scene"), m_leftScroll, Qt::LeftDockWidgetArea);
    m_inspector->setMinimumWidth(280);
    m_rightPages = new QStackedWidget;
    m_rightPages->addWidget(m_inspector);
    m_rightPages->addWidget(m_judge->inspector());
    m_right = dock(QStringLiteral("right"), tr("Inspector"), m_rightPages, Qt::RightDockWidgetArea);
    m_bottomPages = new QStackedWidget;
    m_bottomPages->addWidget(m_blends);
    m_bottomPages->addWidget(m_judge->strip());
    m_bottom = dock(QStringLiteral("bottom"), tr("Blends"), m_bottomPages, Qt::BottomDockWidgetArea);
    for (QDockWidget* d : {m_left, m_right, m_bottom}) {
        d->setTitleBarWidget(new QWidget); // headings inside say it already; F-keys and the menu show and hide
    }
}

void MainWindow::buildStatusBar() {
    m_readout = new QLabel;
    m_readout->setFont(Theme::numberFont());
    m_readout->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    m_readout->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_readout->setAccessibleName(tr("Position and values under the cursor"));
    statusBar()->setSizeGripEnabled(false);
    statusBar()->addWidget(m_readout, 1);
    m_resultLabel = new QLabel;
    statusBar()->addPermanentWidget(m_resultLabel);
    m_jobStatus = new JobStatus(m_document);
    statusBar()->addPermanentWidget(m_jobStatus);
}

void MainWindow::connectDocument() {
    connect(m_start, &StartPage::openRequested, this, &MainWindow::chooseFiles);
    connect(m_start, &StartPage::demoRequested, this, &MainWindow::openDemo);
    connect(m_start, &StartPage::compareRequested, this, &MainWindow::simulateAndCompare);
    connect(m_judge->metrics(), &MetricsView::evaluateRequested, this, &MainWindow::chooseEvaluation);
    connect(m_judge, &JudgeMode::pictureWanted, this, [this] { showMetrics(false); });
    connect(m_method, &MethodPanel::pipelineChanged, this,
            [this] { m_judge->injection()->setPipeline(m_method->pipeline()); });
    connect(m_judge->controller(), &JudgeController::changed, this, &MainWindow::refresh);
    connect(m_judge->controller(), &JudgeController::currentChanged, this, [this] {
        const JudgementPtr judgement = m_judge->controller()->current();
        if (!judgement) return m_blends->setVerdict({});
        m_blends->setVerdict([this, judgement](int blend, int object) -> std::optional<Outcome> {
            const ResultPtr result = m_document->result();
            const Blend* b = result && object == 0 ? result->blend(blend) : nullptr;
            if (b && !b->objects.empty()) {
                // A footprint's outcome is that of the group that its light hangs together with.
                const DetectionVerdict* d = judgement->detection(b->objects.front());
                const BlendVerdict* group = d ? judgement->blend(d->blend) : nullptr;
                return group ? std::optional(group->outcome) : std::nullopt;
            }
            const DetectionVerdict* d = judgement->detection(object);
            return d ? std::optional(d->outcome) : std::nullopt;
        });
    });
    connect(m_judge->controller(), &JudgeController::selectionChanged, m_actions, &ActionRegistry::refresh);
    connect(m_start, &StartPage::filesRequested, this, [this](const QStringList& paths) { open(paths); });

    connect(m_document, &Document::message, m_messages, &MessageBar::post);
    connect(m_document, &Document::scenesChanged, this, [this] {
        if (!m_document->scenes().empty()) {
            const SceneEntry& newest = m_document->scenes().back();
            if (newest.id > m_lastScene && !newest.paths.isEmpty()) m_recent->add(newest.paths);
            m_lastScene = std::max(m_lastScene, newest.id);
        }
        refresh();
    });
    connect(m_document, &Document::currentSceneChanged, this, [this] {
        const SceneEntry* e = m_document->current();
        m_stretch->setScene(e ? e->scene : nullptr, e ? e->samples : nullptr);
        for (const QString& folder : e ? std::exchange(m_waitingResults, {}) : QStringList()) {
            m_document->openResult(folder);
        }
        refreshDisplay();
        refresh();
        tryWaitingRun();
    });
    connect(m_document, &Document::resultsChanged, this, &MainWindow::refreshResults);
    connect(m_document, &Document::currentResultChanged, this, &MainWindow::refreshResults);
    connect(m_document, &Document::resultUpdated, this, &MainWindow::refresh);
    connect(m_document, &Document::selectionChanged, this, &MainWindow::refresh);
    connect(m_document, &Document::registryChanged, this, [this] {
        m_method->setRegistry(m_document->registry());
        if (!m_wantedPipeline.isEmpty()) setPipeline(std::exchange(m_wantedPipeline, QString()));
        refreshPipelines();
        tryWaitingRun();
    });
    connect(m_document, &Document::idle, this, &MainWindow::refresh);

    connect(m_view, &ViewArea::displayChanged, this, &MainWindow::refreshDisplay);
    connect(m_view, &ViewArea::modeChanged, this, [this] {
        refreshDisplay();
        refresh();
    });
    connect(m_view, &ViewArea::overlaysChanged, this, [this] {
        m_layers->setState(m_view->overlays(), m_document->result() != nullptr,
                           m_document->scene() && m_document->scene()->truth);
    });
    connect(m_view, &ViewArea::readoutChanged, this, &MainWindow::showReadout);
    connect(m_view, &ViewArea::menuRequested, this, [this](QPoint at) { showMenu(at); });

    connect(m_stretch, &StretchPanel::modeChosen, m_view, &ViewArea::setMode);
    connect(m_stretch, &StretchPanel::bandChosen, m_view, &ViewArea::showBand);
    connect(m_stretch, &StretchPanel::displayEdited, m_view, &ViewArea::setDisplay);
    connect(m_stretch, &StretchPanel::autoCutsRequested, m_view, &ViewArea::autoCuts);
    connect(m_stretch, &StretchPanel::resetRequested, m_view, &ViewArea::resetColours);
    connect(m_layers, &LayersPanel::styleEdited, this, [this](const OverlayStyle& style) {
        m_hidden = false;
        m_view->setOverlays(style);
        m_actions->refresh();
    });
    connect(m_scenePanel, &ScenePanel::bandChosen, m_view, &ViewArea::showBand);
    connect(m_scenePanel, &ScenePanel::mixEdited, this, [this](const RgbSettings& settings) {
        m_view->setMode(ViewArea::Mode::Rgb);
        ViewDisplay d = m_view->display();
        d.rgb = true;
        d.rgbSettings = settings;
        m_view->setDisplay(d);
    });
    connect(m_scenePanel, &ScenePanel::headerRequested, this, &MainWindow::showHeader);
    connect(m_inspector, &InspectorPanel::stepRequested, this, [this](int steps) {
        m_actions->trigger(steps > 0 ? QStringLiteral("blend.next") : QStringLiteral("blend.previous"));
    });
    connect(m_inspector, &InspectorPanel::showRequested, this, [this] { m_view->showSelection(true); });
    connect(m_blends, &BlendsPanel::hiddenChanged, m_view, &ViewArea::setDimmed);
    connect(m_blends, &BlendsPanel::activated, this, [this] { m_view->showSelection(true); });
    connect(m_blends->view(), &QTreeView::clicked, this, [this] { m_view->showSelection(false); });
}

// --- state ----------------------------------------------------------------------------------------------------------

void MainWindow::refresh() {
    setWindowTitle(title(this));
    m_pages->setCurrentWidget(!m_document->scene() ? static_cast<QWidget*>(m_start)
                              : metricsShown()     ? static_cast<QWidget*>(m_judge->metrics())
                                                   : m_view);
    const bool any = m_document->scene() != nullptr;
    if (any != m_laidOut) {
        // Nothing to inspect, list or stretch before there is a scene: the start page has the window to itself.
        m_laidOut = any;
        if (!any) m_layout->keepDocks(modeName());
        for (QDockWidget* d : {m_left, m_right, m_bottom}) {
            d->setVisible(any);
        }
        if (any) {
            if (!m_layout->restoreDocks(modeName())) layOutDocks();
        }
    }
    if (m_layers) {
        m_layers->setState(m_view->overlays(), m_document->result() != nullptr,
                           m_document->scene() && m_document->scene()->truth);
        const ResultPtr result = m_document->result();
        m_layers->setClasses(result && !result->classPlanes.empty() ? result->classNames : std::vector<QString>());
    }
    m_actions->refresh();
}

void MainWindow::layOutDocks() {
    const bool narrow = width() < 1150;
    resizeDocks({m_left, m_right}, {narrow ? 252 : 276, narrow ? 310 : 380}, Qt::Horizontal);
    resizeDocks({m_bottom}, {std::clamp(height() * 27 / 100, 140, 280)}, Qt::Vertical);
}

void MainWindow::restoreLayout() {
    m_layout->setOn(true);
    m_layout->restoreWindow();
}

void MainWindow::resetLayout() {
    m_layout->forget();
    const std::pair<QDockWidget*, Qt::DockWidgetArea> places[] = {
        {m_left, Qt::LeftDockWidgetArea}, {m_right, Qt::RightDockWidgetArea}, {m_bottom, Qt::BottomDockWidgetArea}};
    for (const auto& [dock, area] : places) {
        dock->setFloating(false);
        addDockWidget(area, dock);
        dock->setVisible(m_laidOut);
    }
    m_methodSection->setOpen(false);
    m_blends->resetColumns();
    layOutDocks();
    m_actions->refresh();
}

void MainWindow::refreshBlink() {
    const QSignalBlocker block(m_blinkSeconds);
    m_blinkSeconds->setValue(m_blink->intervalMs() / 1000.0);
    m_blinkAction->setVisible(m_blink->running());
    m_actions->refresh();
}

void MainWindow::refreshResults() {
    const QSignalBlocker block(m_results);
    m_results->clear();
    const SceneEntry* e = m_document->current();
    if (e) {
        for (const auto& r : e->results) {
            QString text = r->name;
            if (r->running) text += tr(" \u2026");
            if (!r->running && r->result && !r->result->complete) text += tr(" (partial)");
            if (!r->problem.isEmpty()) text += tr(" (failed)");
            m_results->addItem(text);
            m_results->setItemData(m_results->count() - 1, r->problem.isEmpty() ? r->folder : r->problem,
                                   Qt::ToolTipRole);
        }
        m_results->setCurrentIndex(e->currentResult);
    }
    const int n = m_results->count();
    for (QAction* a : m_toolBar->actions()) {
        if (a == m_showLabel || m_toolBar->widgetForAction(a) == m_results) a->setVisible(n > 0);
    }
    m_resultLabel->setText(n > 0 ? tr("result %1 of %2").arg(e->currentResult + 1).arg(n) : QString());
    refresh();
}

void MainWindow::refreshPipelines() {
    const QSignalBlocker block(m_pipelines);
    m_pipelines->clear();
    const QStringList names = m_method->suggestions();
    m_pipelines->addItems(names);
    const QString now = m_method->pipeline().stages.empty() ? QString() : m_method->pipeline().name();
    if (!now.isEmpty() && !names.contains(now)) m_pipelines->addItem(now);
    m_pipelines->setCurrentText(now);
    m_pipelines->setEnabled(m_pipelines->count() > 0);
    m_actions->refresh();
}

void MainWindow::refreshDisplay() {
    const ViewDisplay& d = m_view->display();
    m_stretch->setState(m_view->mode(), d);
    m_scenePanel->setDisplay(d);
    m_inspector->setRgb(d.rgbSettings);
    m_judge->setRgb(d.rgbSettings);
    m_actions->refresh();
}

void MainWindow::showReadout(const ViewReadout& readout) {
    m_lastReadout = readout;
    const ScenePtr scene = m_document->scene();
    if (!readout.inside || !scene) {
        m_readout->clear();
        return;
    }
    QStringList parts;
    parts << tr("x %1  y %2").arg(readout.x).arg(readout.y);
    if (readout.sky) parts << formatSky(readout.sky->ra, readout.sky->dec);
    if (readout.object > 0) parts << tr("object %1").arg(readout.object);
    QStringList values;
    for (std::size_t b = 0; b < readout.values.size() && b < scene->bands.size(); ++b) {
        values << QStringLiteral("%1 %2").arg(scene->bands[b].name, std::isfinite(readout.values[b])
                                                                        ? formatValue(double(readout.values[b]))
                                                                    : readout.pending ? QStringLiteral("\u2026")
                                                                                      : tr("no data"));
    }
    parts << values.join(QStringLiteral("  "));
    if (readout.unusable) parts << tr("masked or no weight");
    m_readout->setText(parts.join(QStringLiteral("   \u00b7   ")));
    m_readout->setToolTip(m_readout->text());
}

bool MainWindow::settled() const {
    return !m_document->busy() && !m_runWhenReady && m_inspector->settled() && m_judge->settled() &&
           (!m_document->scene() || metricsShown() || m_view->settled());
}

void MainWindow::showMostInteresting() {
    if (m_mode == Mode::Judge) {
        if (m_judge->controller()->selectedBlend() == 0) m_judge->selectTelling();
        m_judge->showSelected(true);
        return;
    }
    const ResultPtr r = m_document->result();
    const ScenePtr s = m_document->scene();
    if (!r || !s) return;
    const int blend = Document::mostInterestingBlend(*r, *s);
    if (blend == 0) return;
    m_document->selectBlend(blend);
    m_view->showSelection(true);
}

// --- what actions do ------------------------------------------------------------------------------------------------

void MainWindow::open(const QStringList& paths, const OpenOptions& options, bool runIt) {
    m_runWhenReady = m_runWhenReady || runIt;
    QStringList scenes, results;
    for (const QString& path : paths) {
        (QFileInfo::exists(path + QStringLiteral("/run.json")) ? results : scenes) << path;
    }
    if (scenes.isEmpty()) {
        const bool sceneless = m_document->scene() == nullptr;
        for (qsizetype i = 0; i < results.size(); ++i) {
            if (sceneless && i > 0) {
                m_waitingResults << results[i]; // the first brings its scene along
            } else {
                m_document->openResult(results[i]);
            }
        }
        return;
    }
    // On top of the scene that comes first.
    m_waitingResults = results;
    m_document->open(scenes, options);
}

QString MainWindow::modeName() const {
    return m_mode == Mode::Judge ? QStringLiteral("judge") : QStringLiteral("look");
}

void MainWindow::setMode(Mode mode) {
    if (mode == m_mode) return;
    if (m_laidOut) m_layout->keepDocks(modeName());
    m_mode = mode;
    const bool judge = mode == Mode::Judge;
    m_judgeSection->setVisible(judge);
    m_injectSection->setVisible(judge);
    m_stretchSection->setVisible(!judge);
    m_actions->action(QStringLiteral("judge.metrics"))->setVisible(judge);
    m_rightPages->setCurrentIndex(judge ? 1 : 0);
    m_bottomPages->setCurrentIndex(judge ? 1 : 0);
    if (m_laidOut) m_layout->restoreDocks(modeName()); // else as it is
    m_judge->setOn(judge);
    refresh();
}

void MainWindow::showMetrics(bool on) {
    if (on) setMode(Mode::Judge);
    m_plots = on;
    refresh();
}

void MainWindow::simulateAndCompare() {
    setMode(Mode::Judge);
    m_judge->comparison()->onSimulation(QStringLiteral("who-shreds"), 1);
}

void MainWindow::chooseSimulation() {
    SimulateDialog dialog(this);
    if (dialog.exec() != QDialog::Accepted) return;
    m_runWhenReady = true;
    m_document->simulate(dialog.recipe(), dialog.seed());
}

void MainWindow::chooseEvaluation() {
    std::vector<std::pair<QString, Pipeline>> pipelines;
    const SceneEntry* scene = m_document->current();
    for (std::size_t i = 0; scene && i < scene->results.size(); ++i) {
        const ResultEntry& r = *scene->results[i];
        if (!r.pipeline.stages.empty()) pipelines.emplace_back(r.name, r.pipeline);
    }
    const Pipeline now = m_method->pipeline();
    const auto same = [&now](const auto& p) { return p.second.toJson() == now.toJson(); };
    if (!now.stages.empty() && std::none_of(pipelines.begin(), pipelines.end(), same)) {
        pipelines.emplace_back(now.name(), now);
    }
    EvaluateDialog dialog(std::move(pipelines), this);
    if (dialog.exec() != QDialog::Accepted) return;
    showMetrics(true);
    m_judge->metrics()->evaluation()->start(dialog.wish());
}

void MainWindow::chooseFigure() {
    const ScenePtr scene = m_document->scene();
    if (!scene) return;
    const int blend = m_mode == Mode::Judge ? m_judge->controller()->selectedBlend() : m_document->selection().blend;
    const QString path = QFileDialog::getSaveFileName(this, tr("Save a figure of this blend"),
                                                      QStringLiteral("%1_blend%2.png").arg(scene->id).arg(blend),
                                                      tr("Pictures (*.png *.svg *.pdf *.jpg)"));
    if (!path.isEmpty()) saveFigure(path);
}

void MainWindow::saveFigure(const QString& path) {
    const ScenePtr scene = m_document->scene();
    const ResultPtr result = m_document->result();
    const bool judge = m_mode == Mode::Judge;
    const int blend = judge ? m_judge->controller()->selectedBlend() : m_document->selection().blend;
    if (!scene || !result || blend == 0) return;
    m_document->start(
        tr("Saving %1").arg(QFileInfo(path).fileName()),
        [scene, result, judgement = m_judge->controller()->current(), judge, blend, path](Progress&) {
            if (judge) {
                const JudgedFigure figure(*scene, judgement, result, blend);
                blendscope::saveFigure(path, figure.size(), [&](QPainter& p) { figure.paint(p); });
            } else {
                const BlendFigure figure(*scene, *result, blend);
                blendscope::saveFigure(path, figure.size(), [&](QPainter& p) { figure.paint(p); });
            }
        },
        [this, path](const Job& job) {
            if (job.state() == Job::State::Failed) m_messages->post(Document::Severity::Error, job.error());
            if (job.state() == Job::State::Finished) {
                m_messages->post(Document::Severity::Notice, tr("The figure was saved as %1.").arg(path));
            }
        });
}

void MainWindow::openDemo() {
    m_runWhenReady = true;
    m_document->simulate(QStringLiteral("demo"), 1);
}

void MainWindow::tryWaitingRun() {
    if (!m_runWhenReady || !m_document->scene() || !m_document->registry()) return;
    m_runWhenReady = false;
    run();
}

void MainWindow::run() {
    const Pipeline pipeline = m_method->pipeline();
    const QString problem = m_method->problem();
    if (!problem.isEmpty() || pipeline.stages.empty()) {
        m_messages->post(Document::Severity::Error,
                         problem.isEmpty() ? tr("No method is chosen: nothing to run.") : problem);
        return;
    }
    runTrusted(pipeline);
}

void MainWindow::setPipeline(const QString& text) {
    if (!m_document->registry()) {
        m_wantedPipeline = text;
        return;
    }
    try {
        m_method->setPipeline(Pipeline::parse(text));
    } catch (const Error& e) {
        m_messages->post(Document::Severity::Error, e.message());
        refreshPipelines();
    }
}

void MainWindow::chooseFiles() {
    QSettings settings;
    const QStringList paths = QFileDialog::getOpenFileNames(
        this, tr("Open FITS images"), settings.value(QStringLiteral("ui/folder")).toString(),
        tr("FITS images (*.fits *.fit *.fts *.fits.gz *.fit.gz *.fits.fz *.fz);;All files (*)"));
    if (paths.isEmpty()) return;
    settings.setValue(QStringLiteral("ui/folder"), QFileInfo(paths.first()).absolutePath());
    open(paths);
}

void MainWindow::saveResult() {
    const ResultEntry* e = m_document->currentResult();
    const ScenePtr scene = m_document->scene();
    if (!e || !scene) return;
    QFileDialog dialog(this, tr("Save the result in a folder"));
    dialog.setAcceptMode(QFileDialog::AcceptSave);
    dialog.setFileMode(QFileDialog::AnyFile);
    dialog.setOption(QFileDialog::ShowDirsOnly);
    dialog.selectFile(scene->id + QStringLiteral("_") + QString(e->name).replace(QLatin1Char(' '), QLatin1Char('_')));
    if (dialog.exec() == QDialog::Accepted) m_document->saveResult(dialog.selectedFiles().first());
}

void MainWindow::openResultFolder() {
    const QString folder = QFileDialog::getExistingDirectory(this, tr("Open a result folder"));
    if (!folder.isEmpty()) m_document->openResult(folder);
}

void MainWindow::showHeader(const QString& path, int hdu) {
    auto* dialog = new HeaderDialog(tr("%1, HDU %2").arg(QFileInfo(path).fileName()).arg(hdu), this);
    dialog->show();
    auto text = std::make_shared<QString>();
    const QPointer<HeaderDialog> guard(dialog);
    m_document->start(
        tr("Reading a header"), [text, path, hdu](Progress&) { *text = readHeaderText(path, hdu); },
        [this, text, guard](const Job& job) {
            if (job.state() == Job::State::Failed) m_messages->post(Document::Severity::Error, job.error());
            if (!guard) return;
            if (job.state() == Job::State::Finished) {
                guard->setText(*text);
            } else {
                guard->close();
            }
        });
}

void MainWindow::setThemeChoice(const QString& name) {
    Theme::apply(Theme::parse(name));
    QSettings().setValue(QStringLiteral("ui/theme"), name);
    m_actions->refreshIcons();
    for (Section* section : findChildren<Section*>()) {
        section->refreshTheme();
    }
    m_inspector->refreshTheme();
    m_judge->refreshTheme();
    m_scenePanel->refreshTheme();
    m_messages->refreshTheme();
    refreshDisplay();
    refresh();
}

void MainWindow::showMenu(QPoint position) {
    QMenu menu(this);
    m_actions->refresh();
    m_actions->fill(&menu, {QStringLiteral("blend.show"), QStringLiteral("blend.next"),
                            QStringLiteral("blend.previous"), QStringLiteral("-"), QStringLiteral("view.fit"),
                            QStringLiteral("view.rgb"), QStringLiteral("view.single"), QStringLiteral("view.grid"),
                            QStringLiteral("-"), QStringLiteral("view.overlays"), QStringLiteral("view.autoCuts")});
    menu.exec(position);
}

void MainWindow::peek() {
    if (!m_hidden) {
        m_hiddenStyle = m_view->overlays();
        OverlayStyle bare = m_hiddenStyle;
        bare.masks = MaskStyle::Off;
        bare.peaks = bare.ellipses = bare.truth = bare.positions = false;
        m_hidden = true;
        m_view->setOverlays(bare);
        m_peekClock.start();
        qApp->installEventFilter(this);
    } else {
        m_hidden = false;
        m_view->setOverlays(m_hiddenStyle);
    }
    m_actions->refresh();
}

bool MainWindow::eventFilter(QObject* watched, QEvent* event) {
    if (event->type() == QEvent::KeyRelease) {
        const auto* key = static_cast<QKeyEvent*>(event);
        if (key->key() == Qt::Key_V && !key->isAutoRepeat()) {
            qApp->removeEventFilter(this);
            if (m_hidden && m_peekClock.elapsed() > kHoldMs) peek();
        }
    }
    return QMainWindow::eventFilter(watched, event);
}

void MainWindow::stepBand(int steps) {
    const ScenePtr scene = m_document->scene();
    if (!scene || scene->bands.empty()) return;
    const int n = int(scene->bands.size());
    const ViewDisplay& d = m_view->display();
    m_view->showBand(d.rgb ? (steps > 0 ? 0 : n - 1) : ((d.band + steps) % n + n) % n);
}

void MainWindow::cutAtCursor(bool high) {
    ViewDisplay d = m_view->display();
    const auto band = std::size_t(d.band);
    if (d.rgb || !m_lastReadout.inside || band >= m_lastReadout.values.size()) return;
    const float value = m_lastReadout.values[band];
    if (!std::isfinite(value)) return;
    Cuts cuts = d.cuts;
    (high ? cuts.high : cuts.low) = value;
    if (!(cuts.high > cuts.low)) return;
    d.cuts = cuts;
    m_view->setDisplay(d);
}

// --- events ---------------------------------------------------------------------------------------------------------

void MainWindow::closeEvent(QCloseEvent* event) {
    const std::vector<JobPtr> jobs = m_document->activeJobs();
    if (m_ask && !jobs.empty()) {
        QStringList names;
        for (const JobPtr& job : jobs) {
            names << job->title();
        }
        QMessageBox box(QMessageBox::Question, tr("Work is going on"),
                        tr("Still at work:\n%1").arg(names.join(QLatin1Char('\n'))), QMessageBox::NoButton, this);
        const QPushButton* stop = box.addButton(tr("Cancel the work and close"), QMessageBox::DestructiveRole);
        box.addButton(tr("Keep working"), QMessageBox::RejectRole);
        box.exec();
        if (box.clickedButton() != stop) {
            event->ignore();
            return;
        }
    }
    m_document->cancelAll();
    if (m_laidOut) m_layout->keepDocks(modeName());
    m_layout->save();
    event->accept();
}

void MainWindow::dragEnterEvent(QDragEnterEvent* event) {
    for (const QUrl& url : event->mimeData()->urls()) {
        if (url.isLocalFile()) {
            event->acceptProposedAction();
            return;
        }
    }
}

void MainWindow::dropEvent(QDropEvent* event) {
    QStringList paths;
    for (const QUrl& url : event->mimeData()->urls()) {
        if (url.isLocalFile()) paths << url.toLocalFile();
    }
    if (paths.isEmpty()) return;
    event->acceptProposedAction();
    open(paths);
}

bool MainWindow::event(QEvent* event) {
    const bool done = QMainWindow::event(event);
    if (!m_painted && event->type() == QEvent::Paint) {
        m_painted = true;
        QTimer::singleShot(0, this, &MainWindow::firstPainted);
    }
    return done;
}

void MainWindow::changeEvent(QEvent* event) {
    QMainWindow::changeEvent(event);
    if (event->type() == QEvent::WindowStateChange) m_actions->refresh();
}

} // namespace blendscope
