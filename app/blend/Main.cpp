#include "Console.h"
#include "Verbs.h"

#include "core/Error.h"
#include "method/Registry.h"

#include <QGuiApplication>
#include <QString>
#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>

using namespace blendscope;
using namespace blendscope::cli;

namespace {

struct Verb {
    const char* name;
    const char* words;
    const char* summary;
    int (*run)(const QStringList&, Console&);
    bool paints = false; ///< needs fonts and painting
};

constexpr Verb kVerbs[] = {
    {"info", "SCENE...", "what is in a scene, and what is assumed of it", runInfo},
    {"methods", "", "the installed methods, with their parameters", runMethods},
    {"run", "SCENE... --out DIR", "detects, deblends and measures", runRun},
    {"simulate", "RECIPE --out DIR", "draws scenes with truth", runSimulate},
    {"inject", "SCENE --recipe R --out SCENE2", "puts simulated objects into a scene", runInject},
    {"judge", "--truth T --result DIR", "what became of every object and blend", runJudge},
    {"evaluate", "--scenes DIR --out DIR", "compares pipelines on scenes with truth in one report", runEvaluate, true},
    {"render", "SCENE|DIR --out PNG", "a picture of a scene, a result or one blend", runRender, true},
    {"train", "METHOD --recipe R --out MODEL", "trains a method's network", runTrain, true},
    {"trust", "FILE", "allows a TorchScript model to run", runTrust},
    {"merge", "DIR", "joins the shards of a run", runMerge},
    {"bench", "[NAME]", "how fast this machine is", runBench, true},
};

QString overview() {
    QString text = QStringLiteral("blend VERB ...   detects, deblends and inspects blended galaxies\n\n");
    for (const Verb& verb : kVerbs) {
        text +=
            QStringLiteral("  blend %1  %2\n")
                .arg(QStringLiteral("%1 %2").arg(QLatin1String(verb.name), QLatin1String(verb.words)).leftJustified(30),
                     QLatin1String(verb.summary));
    }
    return text + QStringLiteral("\nEvery verb has --help and --json. blend --version says the version.");
}

int fail(Console& console, const QString& sentence, int code) {
    console.note(QStringLiteral("blend: ") + sentence);
    return code;
}

int dispatch(const QStringList& arguments, const Verb* verb, Console& console) {
    const QString name = arguments.value(1);
    if (name == QLatin1String("--help") || name == QLatin1String("-h") || name == QLatin1String("help")) {
        console.print(overview());
        return 0;
    }
    if (name == QLatin1String("--version")) {
        console.print(QStringLiteral("blend ") + engineVersion());
        return 0;
    }
    if (verb) return verb->run(arguments.mid(2), console);
    return fail(console,
                name.isEmpty() ? QStringLiteral("which verb? blend --help lists them")
                               : QStringLiteral("no verb \"%1\"; blend --help lists them").arg(name),
                2);
}

// Standard error holds what this program says, a line a failure; Qt's own remarks have no place between.
void onQtMessage(QtMsgType type, const QMessageLogContext&, const QString& message) {
    if (type == QtCriticalMsg || type == QtFatalMsg) std::fprintf(stderr, "blend: %s\n", qPrintable(message));
}

} // namespace

int main(int argc, char** argv) {
    qInstallMessageHandler(onQtMessage);
    const Verb* verb = nullptr;
    for (const Verb& v : kVerbs) {
        if (argc > 1 && std::strcmp(argv[1], v.name) == 0) verb = &v;
    }
    // Pictures need fonts and painting, never a screen.
    qputenv("QT_QPA_PLATFORM", "offscreen");
    const std::unique_ptr<QCoreApplication> application =
        verb && verb->paints ? std::unique_ptr<QCoreApplication>(std::make_unique<QGuiApplication>(argc, argv))
                             : std::make_unique<QCoreApplication>(argc, argv);
    QCoreApplication::setApplicationName(QStringLiteral("blend"));
    Console console;
    try {
        return dispatch(QCoreApplication::arguments(), verb, console);
    } catch (const UsageError& e) {
        return fail(console, e.message(), 2);
    } catch (const Error& e) {
        return fail(console, e.message(), 1);
    } catch (const std::exception& e) {
        return fail(console, QStringLiteral("unexpected failure: %1").arg(QString::fromUtf8(e.what())), 1);
    }
}
