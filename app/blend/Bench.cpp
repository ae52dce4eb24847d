#include "Arguments.h"
#include "Console.h"
#include "Verbs.h"

#include "core/Error.h"

namespace blendscope::cli {

int runBench(const QStringList&, Console&) {
    throw Error(QStringLiteral("blend bench is not built yet"));
}

} // namespace blendscope::cli
