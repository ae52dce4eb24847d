#include "method/Registry.h"
#include "theme/Theme.h"
#include "view/SceneView.h"
#include "window/MainWindow.h"
#include "window/MessageBar.h"

#include <QApplication>
#include <QCommandLineParser>
#include <QElapsedTimer>
#include <QFile>
#include <QJsonDocument>
#include <QJsonObject>
#include <QPixmap>
#include <QSettings>
#include <QThread>
#include <QTimer>
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <unistd.h>

using namespace blendscope;

namespace {

constexpr int kLayoutMs = 400; ///< after everything is done: animations end, the last frames are drawn

void say(const QString& line) {
    std::fprintf(stderr, "%s\n", qPrintable(line));
}

/// Seconds since the process began, libraries' loading included; -1 where the system does not tell.
double secondsSinceStart() {
    QFile stat(QStringLiteral("/proc/self/stat"));
    if (!stat.open(QIODevice::ReadOnly)) return -1.0;
    const QByteArray text = stat.readAll();
    // The second field, in brackets, may hold blanks: count from behind it. Field 22 is the start in clock ticks.
    const QList<QByteArray> fields = text.mid(text.lastIndexOf(')') + 2).split(' ');
    timespec now{};
    if (fields.size() < 20 || clock_gettime(CLOCK_BOOTTIME, &now) != 0) return -1.0;
    const double start = fields[19].toDouble() / double(sysconf(_SC_CLK_TCK));
    return double(now.tv_sec) + double(now.tv_nsec) * 1e-9 - start;
}

bool parseOverrides(const QCommandLineParser& parser, OpenOptions& options, QString& problem) {
    if (parser.isSet(QStringLiteral("bands"))) {
        options.bands = parser.value(QStringLiteral("bands")).split(QLatin1Char(','), Qt::SkipEmptyParts);
    }
    for (const QString& value : parser.values(QStringLiteral("zeropoint"))) {
        bool ok = false;
        const double zp = value.section(QLatin1Char('='), -1).toDouble(&ok);
        if (!ok) {
            problem = QStringLiteral("--zeropoint takes a magnitude or band=magnitude, not \"%1\".").arg(value);
            return false;
        }
        options.zeroPoint[value.contains(QLatin1Char('=')) ? value.section(QLatin1Char('='), 0, 0) : QString()] = zp;
    }
    for (const QString& value : parser.values(QStringLiteral("psf"))) {
        const bool named = value.contains(QLatin1Char('='));
        options.psf[named ? value.section(QLatin1Char('='), 0, 0) : QString()] =
            named ? value.section(QLatin1Char('='), 1) : value;
    }
    options.resample = parser.isSet(QStringLiteral("resample"));
    options.name = parser.value(QStringLiteral("name"));
    return true;
}

} // namespace

int main(int argc, char** argv) {
    // LibTorch, which comes with the first neural method, leaves one processor to the window.
    if (!qEnvironmentVariableIsSet("OMP_NUM_THREADS"))
        qputenv("OMP_NUM_THREADS", QByteArray::number(std::max(1, QThread::idealThreadCount() - 1)));
    SceneView::prepareOpenGL();
    QApplication app(argc, argv);
    QApplication::setOrganizationName(QStringLiteral("Blendscope"));
    QApplication::setApplicationName(QStringLiteral("Blendscope"));
    QApplication::setApplicationVersion(engineVersion());
    QApplication::setDesktopFileName(QStringLiteral("blendscope"));

    QCommandLineParser parser;
    parser.setApplicationDescription(QStringLiteral("Detect, deblend, inspect and judge blended galaxies."));
    parser.addHelpOption();
    parser.addVersionOption();
    parser.addPositionalArgument(QStringLiteral("files"),
                                 QStringLiteral("FITS files, folders, or a result folder after its scene."),
                                 QStringLiteral("[files...]"));
    const auto flag = [&parser](const char* name, const char* help) {
        parser.addOption({QLatin1String(name), QLatin1String(help)});
    };
    const auto value = [&parser](const char* name, const char* help, const char* what) {
        parser.addOption({QLatin1String(name), QLatin1String(help), QLatin1String(what)});
    };
    flag("demo", "Open the demo scene, detected and deblended.");
    value("pipeline", "Pipeline for --run, as threshold+factorize or a JSON file.", "P");
    flag("judge", "Judge mode: what is run is judged against the truth.");
    flag("metrics", "Judge mode with its plots in the middle.");
    flag("compare", "Simulate a scene and judge two settings of a detector on it.");
    flag("run", "Run the pipeline as soon as the scene is open.");
    value("screenshot", "Write a picture of the window when all is done.", "PNG");
    value("out", "Save the result in this folder when all is done.", "DIR");
    flag("quit-when-done", "Leave when all is done; exit code 1 if something failed.");
    value("size", "Size of the window, as 1280x800.", "WxH");
    value("theme", "dark, light or system.", "NAME");
    flag("bench", "Print figures of start-up as JSON and leave.");
    value("bands", "Names of the image planes, in order: g,r,i.", "LIST");
    value("zeropoint", "Magnitude of one count, for all bands or band=value.", "MAG");
    value("psf", "PSF: a FITS file or a FWHM (0.8arcsec, 3.2pix), for all bands or band=value.", "PSF");
    flag("resample", "Bring bands of another grid onto the first band's.");
    value("name", "Name of the scene.", "NAME");
    parser.process(app);

    OpenOptions options;
    QString problem;
    if (!parseOverrides(parser, options, problem)) {
        say(problem);
        return 2;
    }
    const bool unattended = parser.isSet(QStringLiteral("quit-when-done")) || parser.isSet(QStringLiteral("bench"));
    QSize size;
    if (parser.isSet(QStringLiteral("size"))) {
        const QStringList parts = parser.value(QStringLiteral("size")).split(QLatin1Char('x'));
        if (parts.size() == 2) size = {parts[0].toInt(), parts[1].toInt()};
        if (size.width() < 200 || size.height() < 200 || size.width() > 16000 || size.height() > 16000) {
            say(QStringLiteral("--size takes a size as 1280x800, not \"%1\".")
                    .arg(parser.value(QStringLiteral("size"))));
            return 2;
        }
    }
    Theme::apply(Theme::parse(parser.isSet(QStringLiteral("theme"))
                                  ? parser.value(QStringLiteral("theme"))
                                  : QSettings().value(QStringLiteral("ui/theme")).toString()));

    MainWindow window;
    window.setAskBeforeClosing(!unattended);
    if (!unattended) window.restoreLayout();
    if (size.isValid()) window.resize(size);

    if (parser.isSet(QStringLiteral("bench"))) {
        QObject::connect(&window, &MainWindow::firstPainted, &app, [] {
            const QJsonObject json{{QStringLiteral("first_paint_seconds"), secondsSinceStart()}};
            std::printf("%s\n", QJsonDocument(json).toJson(QJsonDocument::Compact).constData());
            QApplication::exit(0);
        });
        window.show();
        return QApplication::exec();
    }

    int failures = 0;
    QObject::connect(window.document(), &Document::message, &app,
                     [&failures](Document::Severity severity, const QString& text) {
                         if (severity == Document::Severity::Error) {
                             ++failures;
                             say(text);
                         }
                     });
    window.show();
    if (parser.isSet(QStringLiteral("pipeline"))) window.setPipeline(parser.value(QStringLiteral("pipeline")));
    if (parser.isSet(QStringLiteral("judge"))) window.setMode(MainWindow::Mode::Judge);
    if (parser.isSet(QStringLiteral("metrics"))) window.showMetrics(true);
    if (parser.isSet(QStringLiteral("compare"))) window.simulateAndCompare();
    const QStringList files = parser.positionalArguments();
    if (!files.isEmpty()) {
        window.open(files, options, parser.isSet(QStringLiteral("run")));
    } else if (parser.isSet(QStringLiteral("demo"))) {
        window.openDemo();
    }

    const QString screenshot = parser.value(QStringLiteral("screenshot")), out = parser.value(QStringLiteral("out"));
    QTimer watch;
    enum class Stage { Working, Shown, Done };
    Stage stage = Stage::Working;
    QElapsedTimer quiet;
    if (!screenshot.isEmpty() || !out.isEmpty() || parser.isSet(QStringLiteral("quit-when-done"))) {
        QObject::connect(&watch, &QTimer::timeout, &app, [&] {
            if (!window.settled()) {
                quiet.invalidate();
                return;
            }
            if (!quiet.isValid()) quiet.start();
            if (quiet.elapsed() < kLayoutMs) return;
            if (stage == Stage::Working) {
                stage = Stage::Shown;
                quiet.invalidate();
                if (window.document()->result()) {
                    window.showMostInteresting();
                    if (!out.isEmpty()) window.document()->saveResult(out);
                }
                return;
            }
            stage = Stage::Done;
            watch.stop();
            if (!screenshot.isEmpty()) {
                if (!out.isEmpty() && failures == 0) window.messages()->clear();
                if (!window.grab().save(screenshot)) {
                    ++failures;
                    say(QStringLiteral("The picture cannot be written to %1.").arg(screenshot));
                }
            }
            if (unattended) QApplication::exit(failures > 0 ? 1 : 0);
        });
        watch.start(50);
    }
    return QApplication::exec();
}
