#include "Arguments.h"
#include "Console.h"
#include "Verbs.h"

#include "core/Error.h"

namespace blendscope::cli {

int runRender(const QStringList&, Console&) {
    throw Error(QStringLiteral("blend render is not built yet"));
}

} // namespace blendscope::cli
