#include "support/TestData.h"

#include <QFileInfo>

namespace blendscope::test {

QString sharedData(const QString& relative) {
    QString folder = qEnvironmentVariable("BLENDSCOPE_TEST_DATA");
    if (folder.isEmpty()) folder = QStringLiteral(BLENDSCOPE_SOURCE_DIR "/../shared/data");
    const QString path = folder + QLatin1Char('/') + relative;
    return QFileInfo::exists(path) ? path : QString();
}

const char* sharedDataMissing() {
    return "the data set outside the project is missing: set BLENDSCOPE_TEST_DATA to its folder";
}

QString fixture(const QString& relative) {
    return QStringLiteral(BLENDSCOPE_SOURCE_DIR "/tests/data/") + relative;
}

} // namespace blendscope::test
