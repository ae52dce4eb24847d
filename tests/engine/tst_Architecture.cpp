#include "support/TestData.h"

#include <QDirIterator>
#include <QFile>
#include <QMap>
#include <QRegularExpression>
#include <QTest>

namespace {

/// What each part may include of the project, longest prefix first; the first row that fits a file holds.
struct Rule {
    const char* part;
    const char* project;   ///< first folders of allowed project includes
    const char* forbidden; ///< of system includes
};

constexpr const char* kScreen =
    "Q(Gui|Widgets|OpenGL|Image|Pixmap|Painter|Widget|Application|MainWindow|Action)|vtk|torch/";

const Rule kRules[] = {
    {"engine/core/", "core", kScreen},
    {"engine/jobs/", "core|jobs", kScreen},
    {"engine/image/", "core|jobs|image", kScreen},
    {"engine/io/", "core|jobs|image|io|method/Registry.h", kScreen},
    {"engine/detect/", "core|jobs|image|detect", kScreen},
    {"engine/deblend/", "core|jobs|image|deblend", kScreen},
    {"engine/measure/", "core|jobs|image|deblend|measure", kScreen},
    {"engine/simulate/", "core|jobs|image|io|simulate|method/Registry.h", kScreen},
    {"engine/judge/", "core|jobs|image|detect|deblend|measure|simulate|io|method|judge", kScreen},
    {"engine/method/", "core|jobs|image|detect|deblend|measure|method", kScreen},
    {"plugins/", "core|jobs|image|io|detect|deblend|measure|simulate|method|neural", "Q(Gui|Widgets)|vtk"},
    {"ui/figure/", "core|jobs|image|io|detect|deblend|measure|simulate|judge|method|figure",
     "QWidget|QApplication|QtWidgets|vtk|torch/|fitsio"},
    {"ui/",
     "core|jobs|image|io|detect|deblend|measure|simulate|judge|method|figure|window|document|panels|models|actions|"
     "charts|theme|view|present|tools|train",
     "torch/|fitsio|wcslib"},
};

} // namespace

/// The arrows of ARCHITECTURE.md, read from the includes themselves.
class TestArchitecture : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void includesGoDownwards() {
        const QString root = QStringLiteral(BLENDSCOPE_SOURCE_DIR "/");
        static const QRegularExpression include(QStringLiteral("^\\s*#\\s*include\\s*([<\"])([^>\"]+)[>\"]"));
        int files = 0;
        QStringList faults;
        for (const char* top : {"engine", "plugins", "ui"}) {
            QDirIterator it(root + QLatin1String(top), {QStringLiteral("*.h"), QStringLiteral("*.cpp")}, QDir::Files,
                            QDirIterator::Subdirectories);
            while (it.hasNext()) {
                const QString path = it.next();
                const QString name = path.mid(root.size());
                if (name.contains(QLatin1String("/tests/")) || name.startsWith(QLatin1String("engine/neural/")))
                    continue;
                const Rule* rule = nullptr;
                for (const Rule& r : kRules) {
                    if (!rule && name.startsWith(QLatin1String(r.part))) rule = &r;
                }
                if (!rule) {
                    faults << name + QStringLiteral(": a folder that ARCHITECTURE.md does not know");
                    continue;
                }
                const QRegularExpression project(QStringLiteral("^(%1)(/|$)").arg(QLatin1String(rule->project)));
                const QRegularExpression forbidden(QStringLiteral("^(%1)").arg(QLatin1String(rule->forbidden)));
                QFile file(path);
                QVERIFY2(file.open(QIODevice::ReadOnly), qPrintable(path));
                ++files;
                for (const QString& line : QString::fromUtf8(file.readAll()).split(QLatin1Char('\n'))) {
                    const auto match = include.match(line);
                    if (!match.hasMatch()) continue;
                    const QString target = match.captured(2);
                    if (match.captured(1) == QLatin1String("\"")) {
                        // A bare name is a file of the same folder, a private part of the unit.
                        if (target.contains(QLatin1Char('/')) && !project.match(target).hasMatch()) {
                            faults << name + QStringLiteral(" includes ") + target;
                        }
                    } else if (forbidden.match(target).hasMatch()) {
                        faults << name + QStringLiteral(" includes ") + target;
                    }
                }
            }
        }
        QVERIFY2(faults.isEmpty(), qPrintable(faults.join(QLatin1Char('\n'))));
        QVERIFY2(files > 30, "the sources were not found");
    }

    void librariesHaveOneHome_data() {
        QTest::addColumn<QString>("header");
        QTest::addColumn<QString>("home");
        QTest::newRow("CFITSIO") << QStringLiteral("fitsio") << QStringLiteral("^engine/io/Fits");
        QTest::newRow("wcslib") << QStringLiteral("(wcslib/|wcs)") << QStringLiteral("^engine/core/Wcs\\.cpp$");
        QTest::newRow("LibTorch") << QStringLiteral("torch/") << QStringLiteral("^(engine/neural|plugins)/");
    }
    void librariesHaveOneHome() {
        QFETCH(QString, header);
        QFETCH(QString, home);
        const QString root = QStringLiteral(BLENDSCOPE_SOURCE_DIR "/");
        const QRegularExpression include(QStringLiteral("#\\s*include\\s*<%1").arg(header));
        const QRegularExpression allowed(home);
        QStringList faults;
        for (const char* top : {"engine", "plugins", "ui", "app"}) {
            QDirIterator it(root + QLatin1String(top), {QStringLiteral("*.h"), QStringLiteral("*.cpp")}, QDir::Files,
                            QDirIterator::Subdirectories);
            while (it.hasNext()) {
                const QString path = it.next();
                const QString name = path.mid(root.size());
                QFile file(path);
                QVERIFY(file.open(QIODevice::ReadOnly));
                if (include.match(QString::fromUtf8(file.readAll())).hasMatch() && !allowed.match(name).hasMatch()) {
                    faults << name;
                }
            }
        }
        QVERIFY2(faults.isEmpty(), qPrintable(faults.join(QLatin1Char('\n'))));
    }
};

QTEST_APPLESS_MAIN(TestArchitecture)
#include "tst_Architecture.moc"
