#pragma once

#include <QString>

namespace blendscope {

/// Numbers for people: as many digits as the uncertainty allows, a true minus, "-" never stands for a missing value
/// (an em-space dash does). All functions take NaN.

/// "1.24e5 ± 310", "412 ± 8", "12.3 ± 0.4"; without an uncertainty three digits.
[[nodiscard]] QString formatFlux(double flux, double error);
/// "23.41 ± 0.02"; "> 26.8" where flux < error (one sigma limit); a dash for an unknown zero point.
[[nodiscard]] QString formatMagnitude(double flux, double error, double zeroPoint);
/// Three significant digits, thousands in powers of ten.
[[nodiscard]] QString formatValue(double value, int digits = 3);
/// `decimals` digits after the point; a dash for NaN.
[[nodiscard]] QString formatFixed(double value, int decimals);
/// "4 s", "1 min 20 s", "2 h 5 min"; empty for negative.
[[nodiscard]] QString formatDuration(double seconds);
/// "12 340" with thin spaces between thousands.
[[nodiscard]] QString formatCount(long long n);
/// "10:00:28.61 +02:12:21.0".
[[nodiscard]] QString formatSky(double raDegrees, double decDegrees);

/// mag = zeroPoint - 2.5 log10(flux); NaN where there is none.
[[nodiscard]] double magnitude(double flux, double zeroPoint);

} // namespace blendscope
