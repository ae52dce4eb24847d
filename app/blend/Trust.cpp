#include "Arguments.h"
#include "Console.h"
#include "Verbs.h"

#include "core/Error.h"
#include "method/Trust.h"

#include <QFileInfo>

namespace blendscope::cli {

int runTrust(const QStringList& words, Console& console) {
    Arguments arguments(
        QStringLiteral("trust"), QStringLiteral("FILE"),
        QStringLiteral(
            "Allows a TorchScript file to run. It is a program: trust what you made, or whose maker you know.\n"
            "What is remembered is its content; another content under the same name asks again."),
        {{QStringLiteral("check"), {}, QStringLiteral("only say whether it is trusted; exit code 1 if not")}});
    if (!arguments.parse(words)) {
        console.print(arguments.help());
        return 0;
    }
    if (arguments.words().size() != 1) throw UsageError(QStringLiteral("blend trust needs one file, as unet.pt"));
    const QString path = arguments.words().first();
    const QString digest = trust::digest(path);
    const bool before = trust::isTrusted(digest);
    const bool check = arguments.has(QStringLiteral("check"));
    if (!check && !before) trust::remember(digest, path);
    const bool trusted = before || !check;
    if (arguments.has(QStringLiteral("json"))) {
        console.printJson({{QStringLiteral("path"), QFileInfo(path).absoluteFilePath()},
                           {QStringLiteral("sha256"), digest},
                           {QStringLiteral("trusted"), trusted}});
    } else {
        console.print(QStringLiteral("%1: %2 (SHA-256 %3)")
                          .arg(path,
                               !trusted ? QStringLiteral("not trusted")
                               : before ? QStringLiteral("trusted already")
                                        : QStringLiteral("trusted from now on"),
                               digest));
    }
    return trusted ? 0 : 1;
}

} // namespace blendscope::cli
