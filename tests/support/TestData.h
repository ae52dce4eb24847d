#pragma once

#include <QString>

namespace blendscope::test {

/// A file or folder of the large data set that is kept outside the project: BLENDSCOPE_TEST_DATA of the environment, or
/// ../shared/data beside the checkout. Empty where it is missing: the test then skips with sharedDataMissing().
[[nodiscard]] QString sharedData(const QString& relative);
[[nodiscard]] const char* sharedDataMissing();

/// A file of tests/data.
[[nodiscard]] QString fixture(const QString& relative);

} // namespace blendscope::test
