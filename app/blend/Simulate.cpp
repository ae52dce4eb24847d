#include "Arguments.h"
#include "Console.h"
#include "Verbs.h"

#include "core/Error.h"

namespace blendscope::cli {

int runSimulate(const QStringList&, Console&) {
    throw Error(QStringLiteral("blend simulate is not built yet"));
}

} // namespace blendscope::cli
