// Everything that can be done, and the menus made of it.
#include "actions/ActionRegistry.h"
#include "actions/CheatSheet.h"
#include "actions/CommandPalette.h"
#include "judge/InjectPanel.h"
#include "judge/JudgeMode.h"
#include "judge/SettingsComparison.h"
#include "panels/BlendsPanel.h"
#include "panels/InspectorPanel.h"
#include "panels/MethodPanel.h"
#include "panels/SearchWalk.h"
#include "panels/Section.h"
#include "theme/Theme.h"
#include "view/SceneView.h"
#include "window/BlinkTimer.h"
#include "window/MainWindow.h"
#include "window/RecentFiles.h"
#include "window/ViewArea.h"

#include <QAction>
#include <QDockWidget>
#include <QFileDialog>
#include <QLineEdit>
#include <QMenu>
#include <QMenuBar>
#include <QMessageBox>
#include <QPushButton>
#include <QScrollArea>
#include <QTimer>

namespace blendscope {

void MainWindow::buildActions() {
    const auto hasScene = [this] { return m_document->scene() != nullptr; };
    const auto hasResult = [this] { return m_document->result() != nullptr; };
    const auto hasSelection = [this] { return !m_document->selection().empty(); };
    const auto severalResults = [this] {
        const SceneEntry* e = m_document->current();
        return e && e->results.size() > 1;
    };
    const auto severalBands = [this] { return m_document->scene() && m_document->scene()->bands.size() > 1; };
    const auto add = [this](const char* id, const QString& group, const QString& text, const QString& tip,
                            const QList<QKeySequence>& keys, const char* icon, std::function<void()> run,
                            std::function<bool()> enabled = {}, std::function<bool()> checked = {}) {
        ActionInfo info{QLatin1String(id),
                        group,
                        text,
                        tip,
                        keys,
                        QLatin1String(icon),
                        bool(checked),
                        std::move(run),
                        std::move(enabled),
                        std::move(checked)};
        m_actions->add(std::move(info));
    };
    const auto keys = [](std::initializer_list<const char*> list) {
        QList<QKeySequence> k;
        for (const char* s : list) {
            k << QKeySequence(QLatin1String(s));
        }
        return k;
    };

    const QString file = tr("File");
    add("file.open", file, tr("Open files\u2026"), tr("Open FITS images as a scene"), keys({"Ctrl+O"}), "open",
        [this] { chooseFiles(); });
    add("file.openFolder", file, tr("Open folder\u2026"), tr("Open all scenes in a folder"), keys({"Ctrl+Shift+O"}),
        "folder", [this] {
            const QString folder = QFileDialog::getExistingDirectory(this, tr("Open a folder of scenes"));
            if (!folder.isEmpty()) open({folder});
        });
    add("file.demo", file, tr("Demo scene"), tr("Simulate the demo scene, detect and deblend it"), {}, "demo",
        [this] { openDemo(); });
    add(
        "file.saveResult", file, tr("Save result\u2026"), tr("Write catalogue, masks and components into a folder"),
        keys({"Ctrl+S"}), "save", [this] { saveResult(); }, hasResult);
    add(
        "blend.saveFigure", file, tr("Save figure of this blend\u2026"),
        tr("As the inspector shows it: PNG, SVG or PDF"), keys({"Ctrl+Shift+S"}), "", [this] { chooseFigure(); },
        [this] {
            return m_mode == Mode::Judge ? m_judge->controller()->selectedBlend() > 0
                                         : m_document->selection().blend > 0;
        });
    add(
        "file.openResult", file, tr("Open result\u2026"), tr("Show a saved result folder on this scene"),
        keys({"Ctrl+Shift+R"}), "", [this] { openResultFolder(); }, hasScene);
    add(
        "file.removeResult", file, tr("Remove result"), tr("Forget the shown result; saved files stay"), {}, "",
        [this] {
            if (const ResultEntry* e = m_document->currentResult()) m_document->removeResult(e->id);
        },
        [this] { return m_document->currentResult() != nullptr; });
    add(
        "file.closeScene", file, tr("Close scene"), tr("Close the shown scene and its results"), keys({"Ctrl+W"}), "",
        [this] { m_document->closeScene(m_document->currentIndex()); }, hasScene);
    add("app.quit", file, tr("Quit"), tr("Leave Blendscope"), keys({"Ctrl+Q"}), "", [this] { close(); });

    const QString runGroup = tr("Run");
    add(
        "run.start", runGroup, tr("Run"), tr("Detect and deblend in the background"), keys({"F5", "Ctrl+R"}), "run",
        [this] { run(); },
        [this] {
            return m_document->scene() && !m_document->running() && !m_method->pipeline().stages.empty() &&
                   m_method->problem().isEmpty();
        });
    add(
        "run.cancel", runGroup, tr("Cancel"), tr("Stop the run; the blends that are done stay"), keys({"Ctrl+."}),
        "stop", [this] { m_document->cancelRun(); }, [this] { return m_document->running(); });
    add("run.parameters", runGroup, tr("Parameters"), tr("Choose methods stage by stage and set their parameters"),
        keys({"Ctrl+P"}), "parameters", [this] {
            m_left->show();
            m_methodSection->setOpen(!m_methodSection->isOpen());
            if (m_methodSection->isOpen()) {
                QTimer::singleShot(0, this, [this] {
                    m_leftScroll->ensureVisible(0, m_methodSection->y() + m_leftScroll->viewport()->height() - 10, 0,
                                                0);
                });
            }
        });

    const QString blends = tr("Blends");
    const auto step = [this](int steps) {
        if (m_mode == Mode::Judge) return m_judge->step(steps);
        m_blends->step(steps);
        m_view->showSelection(true);
    };
    add(
        "blend.next", blends, tr("Next blend"), tr("In the table's order"), keys({"D"}), "next", [step] { step(1); },
        hasResult);
    add(
        "blend.previous", blends, tr("Previous blend"), tr("In the table's order"), keys({"A"}), "previous",
        [step] { step(-1); }, hasResult);
    add(
        "blend.show", blends, tr("Zoom to blend"), tr("Bring the selected blend into the picture"), keys({"Z"}), "fit",
        [this] { m_mode == Mode::Judge ? m_judge->showSelected(true) : m_view->showSelection(true); },
        [this] { return !m_document->selection().empty() || m_judge->controller()->selectedBlend() > 0; });
    const auto walk = [this](int states) { m_inspector->search()->walk(states); };
    const auto searched = [this] { return m_mode != Mode::Judge && m_inspector->search()->hasSearch(); };
    add(
        "search.forward", blends, tr("One source more"), tr("The search for sources in this blend, a state later"),
        keys({"]"}), "", [walk] { walk(1); }, searched);
    add(
        "search.back", blends, tr("One source less"), tr("The search for sources in this blend, a state earlier"),
        keys({"["}), "", [walk] { walk(-1); }, searched);
    add(
        "blend.best", blends, tr("Show a telling blend"), tr("Select the blend that shows deblending best"),
        keys({"T"}), "", [this] { showMostInteresting(); }, hasResult);
    add(
        "select.none", blends, tr("Deselect"), tr("Nothing selected"), keys({"Esc"}), "",
        [this] { m_document->setSelection({}); }, hasSelection);
    add("blend.filter", blends, tr("Filter the table"), tr("Go to the filter field"), keys({"Ctrl+F"}), "search",
        [this] {
            m_bottom->show();
            m_blends->filterField()->setFocus();
            m_blends->filterField()->selectAll();
        });

    const QString picture = tr("Picture");
    add(
        "view.fit", picture, tr("Whole scene"), tr("Fit the scene into the window"), keys({"0", "Home"}), "fit",
        [this] { m_view->view()->fit(); }, hasScene);
    add(
        "view.zoomIn", picture, tr("Zoom in"), tr("About the middle"), keys({"+", "="}), "",
        [this] { m_view->view()->zoomBy(1.5); }, hasScene);
    add(
        "view.zoomOut", picture, tr("Zoom out"), tr("About the middle"), keys({"-"}), "",
        [this] { m_view->view()->zoomBy(1 / 1.5); }, hasScene);
    add(
        "view.rgb", picture, tr("Colour"), tr("All bands in one colour picture"), keys({"C"}), "rgb",
        [this] { m_view->setMode(ViewArea::Mode::Rgb); }, severalBands,
        [this] { return m_view->mode() == ViewArea::Mode::Rgb; });
    add(
        "view.single", picture, tr("One band"), tr("One band in grey or false colours"), keys({"Shift+C"}), "single",
        [this] { m_view->setMode(ViewArea::Mode::Single); }, hasScene,
        [this] { return m_view->mode() == ViewArea::Mode::Single; });
    add(
        "view.grid", picture, tr("Grid of bands"), tr("All bands side by side, linked"), keys({"Shift+G"}), "grid",
        [this] { m_view->setMode(ViewArea::Mode::Grid); }, severalBands,
        [this] { return m_view->mode() == ViewArea::Mode::Grid; });
    add(
        "view.nextBand", picture, tr("Next band"), tr("Towards the red"), keys({"PgDown"}), "", [this] { stepBand(1); },
        hasScene);
    add(
        "view.previousBand", picture, tr("Previous band"), tr("Towards the blue"), keys({"PgUp"}), "",
        [this] { stepBand(-1); }, hasScene);
    add(
        "view.autoCuts", picture, tr("Auto cuts"), tr("Find black and white from the pixels (ZScale)"), keys({"."}), "",
        [this] {
            m_view->display().rgb && m_view->mode() != ViewArea::Mode::Grid ? m_view->resetColours()
                                                                            : m_view->autoCuts(CutsMode::ZScale);
        },
        hasScene);
    add(
        "view.curve", picture, tr("Next curve"), tr("Linear, log, sqrt, asinh"), keys({"S"}), "",
        [this] {
            ViewDisplay d = m_view->display();
            d.curve = static_cast<Curve>((static_cast<int>(d.curve) + 1) % 4);
            d.curveParameter = 0.0f;
            m_view->setDisplay(d);
        },
        [this] { return m_document->scene() && m_view->mode() != ViewArea::Mode::Rgb; });
    add(
        "view.cutHigh", picture, tr("White at the cursor"), tr("The value under the cursor becomes white"), keys({"K"}),
        "", [this] { cutAtCursor(true); }, hasScene);
    add(
        "view.cutLow", picture, tr("Black at the cursor"), tr("The value under the cursor becomes black"),
        keys({"Shift+K"}), "", [this] { cutAtCursor(false); }, hasScene);
    add(
        "view.overlays", picture, tr("Hide overlays"), tr("Tap to hide or show all overlays, hold to peek"),
        keys({"V"}), "eye", [this] { peek(); }, hasScene, [this] { return m_hidden; });
    add("view.freeze", picture, tr("Freeze the read-out"), tr("Keep the values while the cursor moves"), keys({"F"}),
        "", [this] { m_view->view()->setReadoutFrozen(m_actions->action(QStringLiteral("view.freeze"))->isChecked()); },
        hasScene, {});
    m_actions->action(QStringLiteral("view.freeze"))->setCheckable(true);
    m_actions->action(QStringLiteral("view.overlays"))->setAutoRepeat(false);

    const QString judge = tr("Judge");
    add(
        "mode.look", judge, tr("Look"), tr("Explore the scene and what was found in it"), keys({"Alt+1"}), "",
        [this] { setMode(Mode::Look); }, {}, [this] { return m_mode == Mode::Look; });
    add(
        "mode.judge", judge, tr("Judge"), tr("See what became of each blend: outcomes against the truth"),
        keys({"Alt+2"}), "", [this] { setMode(Mode::Judge); }, {}, [this] { return m_mode == Mode::Judge; });
    add("scene.simulate", judge, tr("Simulate\u2026"), tr("Draw a scene whose truth is known"), keys({"Ctrl+M"}),
        "demo", [this] { chooseSimulation(); });
    add("judge.guided", judge, tr("Simulate and compare two settings"),
        tr("A simulated scene, detected with deblending contrast 0.005 and 0.0005, and judged: who shreds, who "
           "merges?"),
        {}, "compare", [this] { simulateAndCompare(); });
    add(
        "judge.compare", judge, tr("Compare two settings on this scene"),
        tr("Detect with deblending contrast 0.005 and 0.0005, and judge both"), {}, "",
        [this] {
            setMode(Mode::Judge);
            m_judge->comparison()->onScene();
        },
        [this] { return m_document->scene() && m_document->registry() != nullptr; });
    add(
        "judge.run", judge, tr("Judge all results"),
        tr("Hold every result of this scene against the truth; without one, look for suspects"), keys({"J"}), "",
        [this] {
            setMode(Mode::Judge);
            m_judge->controller()->judgeAll();
        },
        hasResult);
    add(
        "judge.metrics", judge, tr("Metrics"),
        tr("Numbers and curves of all results; a click on a bin shows its blends"), keys({"M"}), "",
        [this] { showMetrics(!metricsShown()); }, hasScene, [this] { return metricsShown(); });
    add(
        "judge.inject", judge, tr("Inject a galaxy"),
        tr("Click or drag in the picture: what would happen to it there?"), keys({"I"}), "",
        [this] {
            setMode(Mode::Judge);
            QPushButton* place = m_judge->injectPanel()->placeButton();
            place->setChecked(!place->isChecked());
        },
        hasScene, [this] { return m_judge->injectPanel()->placeButton()->isChecked(); });
    add(
        "judge.evaluate", judge, tr("Evaluate on many scenes\u2026"),
        tr("Pipelines on simulated scenes, with errors, in the background"), {}, "", [this] { chooseEvaluation(); },
        [this] { return m_document->registry() != nullptr; });
    add(
        "train.panel", tr("Run"), tr("Train a method\u2026"),
        tr("A network's recipe, live curves and sample predictions"), keys({"Ctrl+T"}), "", [this] { showTraining(); },
        [this] { return m_document->registry() != nullptr; });
    add(
        "judge.cancel", judge, tr("Stop judging"), tr("Judgements that are done stay"), {}, "",
        [this] { m_judge->controller()->cancel(); }, [this] { return m_judge->controller()->running(); });

    const QString compare = tr("Compare");
    add(
        "compare.blink", compare, tr("Blink forwards"), tr("Show the next result of this scene in place"), keys({"B"}),
        "blink", [this] { m_document->stepResult(1); }, severalResults);
    add(
        "compare.blinkBack", compare, tr("Blink backwards"), tr("Show the previous result of this scene in place"),
        keys({"Shift+B"}), "", [this] { m_document->stepResult(-1); }, severalResults);
    add(
        "compare.timed", compare, tr("Blink by the clock"), tr("Flip between two results until stopped"),
        keys({"Ctrl+B"}), "", [this] { m_blink->setRunning(!m_blink->running()); }, severalResults,
        [this] { return m_blink->running(); });
    add(
        "compare.faster", compare, tr("Blink faster"), tr("A shorter time between two flips"), keys({"Ctrl+]"}), "",
        [this] { m_blink->setIntervalMs(m_blink->intervalMs() * 2 / 3); }, severalResults);
    add(
        "compare.slower", compare, tr("Blink slower"), tr("A longer time between two flips"), keys({"Ctrl+["}), "",
        [this] { m_blink->setIntervalMs(m_blink->intervalMs() * 3 / 2); }, severalResults);
    add(
        "compare.side", compare, tr("Side by side"), tr("Two results with linked cameras"), keys({"Ctrl+Shift+B"}),
        "compare", [this] { m_view->setComparing(!m_view->comparing()); }, severalResults,
        [this] { return m_view->comparing(); });

    const QString window = tr("Window");
    const auto dockAction = [&](const char* id, const QString& text, const char* key, QDockWidget* MainWindow::*dock) {
        add(
            id, window, text, tr("Show or hide this panel"), keys({key}), "",
            [this, dock] { (this->*dock)->setVisible(!(this->*dock)->isVisible()); }, {},
            [this, dock] { return this->*dock && (this->*dock)->isVisible(); });
    };
    dockAction("panel.scene", tr("Scene, layers and stretch"), "Ctrl+1", &MainWindow::m_left);
    dockAction("panel.inspector", tr("Inspector"), "Ctrl+2", &MainWindow::m_right);
    dockAction("panel.table", tr("Table"), "Ctrl+3", &MainWindow::m_bottom);
    add(
        "window.full", window, tr("Full screen"), tr("The window fills the screen"), keys({"F11"}), "",
        [this] { isFullScreen() ? showNormal() : showFullScreen(); }, {}, [this] { return isFullScreen(); });
    add("window.reset", window, tr("Reset the layout"), tr("All panels back to where they were at first"), {}, "",
        [this] { resetLayout(); });
    for (const auto& [id, text, name] :
         {std::tuple{"theme.system", tr("Theme of the system"), QStringLiteral("system")},
          std::tuple{"theme.light", tr("Light theme"), QStringLiteral("light")},
          std::tuple{"theme.dark", tr("Dark theme"), QStringLiteral("dark")}}) {
        add(
            id, window, text, tr("Panels light or dark; the picture is always dark"), {}, "",
            [this, name = name] { setThemeChoice(name); }, {},
            [name = name] { return Theme::name(Theme::choice()) == name; });
    }

    const QString help = tr("Help");
    add("help.search", help, tr("Search for an action\u2026"), tr("Type what you want to do"),
        keys({"Ctrl+K", "Ctrl+Shift+P"}), "search", [this] {
            if (!m_palette) m_palette = new CommandPalette(m_actions, this);
            m_palette->popup();
        });
    add("help.keys", help, tr("Keys and mouse"), tr("All keys, clickable"), keys({"?", "F1"}), "help", [this] {
        if (!m_sheet) m_sheet = new CheatSheet(m_actions, this);
        m_sheet->popup();
    });
    add("help.about", help, tr("About Blendscope"), tr("Version and licence"), {}, "", [this] {
        QMessageBox::about(this, tr("About Blendscope"),
                           tr("<b>Blendscope %1</b><br>Detects, deblends and inspects blended galaxies.<br><br>"
                              "BSD 3-Clause licence. Uses Qt, VTK, OpenCV, CFITSIO and WCSLIB.")
                               .arg(engineVersion()));
    });
}

void MainWindow::buildMenus() {
    QMenu* file = menuBar()->addMenu(tr("&File"));
    m_actions->fill(file, {QStringLiteral("file.open"), QStringLiteral("file.openFolder")});
    m_recentMenu = file->addMenu(tr("Recent"));
    m_actions->fill(file, {QStringLiteral("file.demo"), QStringLiteral("-"), QStringLiteral("file.openResult"),
                           QStringLiteral("file.saveResult"), QStringLiteral("blend.saveFigure"),
                           QStringLiteral("file.removeResult"), QStringLiteral("-"), QStringLiteral("file.closeScene"),
                           QStringLiteral("app.quit")});
    QStringList groups;
    for (const ActionInfo& info : m_actions->infos()) {
        if (!groups.contains(info.group)) groups << info.group;
    }
    for (const QString& group : groups) {
        if (group == tr("File")) continue;
        QMenu* menu = menuBar()->addMenu(group);
        for (const ActionInfo& info : m_actions->infos()) {
            if (info.group == group) menu->addAction(m_actions->action(info.id));
        }
    }
    for (QMenu* menu : menuBar()->findChildren<QMenu*>()) {
        connect(menu, &QMenu::aboutToShow, m_actions, &ActionRegistry::refresh);
    }
    connect(m_recent, &RecentFiles::changed, this, &MainWindow::refreshRecentMenu);
    refreshRecentMenu();
}

} // namespace blendscope
