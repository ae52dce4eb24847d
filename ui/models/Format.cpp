#include "models/Format.h"

#include <QCoreApplication>
#include <cmath>
#include <limits>

namespace blendscope {

namespace {

const QString kDash = QStringLiteral("\u2013");

QString trueMinus(QString text) {
    return text.replace(QLatin1Char('-'), QChar(0x2212));
}

QString plain(double value, int decimals) {
    return trueMinus(QString::number(value, 'f', std::max(0, decimals)));
}

/// Decimal exponent of the last digit worth showing: two digits of the error if it starts with 1 or 2, else one.
int lastDigit(double error) {
    const int e = static_cast<int>(std::floor(std::log10(error)));
    return error / std::pow(10.0, e) < 2.95 ? e - 1 : e;
}

QString errorText(double error, int last) {
    if (last < 0) return plain(error, -last);
    const double unit = std::pow(10.0, last);
    const double rounded = std::round(error / unit) * unit;
    return rounded < 1e5 ? plain(rounded, 0) : trueMinus(QString::number(rounded, 'e', 0)).remove(QLatin1Char('+'));
}

QString exponential(double value, int decimals) {
    QString text = QString::number(value, 'e', std::clamp(decimals, 0, 6));
    text.replace(QLatin1String("e+0"), QLatin1String("e")).replace(QLatin1String("e+"), QLatin1String("e"));
    text.replace(QLatin1String("e-0"), QLatin1String("e-"));
    return trueMinus(text);
}

} // namespace

QString formatFlux(double flux, double error) {
    if (!std::isfinite(flux)) return kDash;
    if (!std::isfinite(error) || error <= 0) return formatValue(flux);
    const int last = lastDigit(error);
    const double size = std::max(std::abs(flux), error);
    if (size < 99999.5) {
        const double unit = std::pow(10.0, std::max(last, 0));
        const double shown = last > 0 ? std::round(flux / unit) * unit : flux;
        return QStringLiteral("%1 \u00b1 %2").arg(plain(shown, -last), errorText(error, last));
    }
    const int top = static_cast<int>(std::floor(std::log10(size)));
    return QStringLiteral("%1 \u00b1 %2").arg(exponential(flux, top - last), errorText(error, last));
}

QString formatMagnitude(double flux, double error, double zeroPoint) {
    if (!std::isfinite(flux) || !std::isfinite(zeroPoint)) return kDash;
    const bool known = std::isfinite(error) && error > 0;
    if (known && flux < error) return QStringLiteral("> %1").arg(plain(magnitude(error, zeroPoint), 1));
    if (flux <= 0) return kDash;
    if (!known) return plain(magnitude(flux, zeroPoint), 2);
    const double width = 1.0857362 * error / flux;
    const int decimals = width < 0.0095 ? 3 : width < 0.95 ? 2 : 1;
    // An error is never rounded to nothing.
    const double shown = std::max(width, std::pow(10.0, -decimals));
    return QStringLiteral("%1 \u00b1 %2").arg(plain(magnitude(flux, zeroPoint), decimals), plain(shown, decimals));
}

QString formatValue(double value, int digits) {
    if (!std::isfinite(value)) return kDash;
    if (value == 0.0) return QStringLiteral("0");
    const int top = static_cast<int>(std::floor(std::log10(std::abs(value))));
    if (top >= 5 || top < -3) return exponential(value, digits - 1);
    if (top >= digits - 1) {
        const double unit = std::pow(10.0, top - digits + 1);
        return plain(std::round(value / unit) * unit, 0);
    }
    return plain(value, digits - 1 - top);
}

QString formatFixed(double value, int decimals) {
    return std::isfinite(value) ? plain(value, decimals) : kDash;
}

QString formatDuration(double seconds) {
    if (!(seconds >= 0)) return {};
    const auto tr = [](const char* text) { return QCoreApplication::translate("Format", text); };
    if (seconds < 9.95) return tr("%1 s").arg(seconds, 0, 'f', seconds < 0.995 ? 2 : 1);
    const auto s = static_cast<long long>(std::llround(seconds));
    if (s < 60) return tr("%1 s").arg(s);
    if (s < 3600) return tr("%1 min %2 s").arg(s / 60).arg(s % 60);
    return tr("%1 h %2 min").arg(s / 3600).arg((s / 60) % 60);
}

QString formatCount(long long n) {
    QString text = QString::number(std::llabs(n));
    for (auto i = text.size() - 3; i > 0 && text.size() > 4; i -= 3) {
        text.insert(i, QChar(0x2009));
    }
    return n < 0 ? QChar(0x2212) + text : text;
}

QString formatSky(double raDegrees, double decDegrees) {
    if (!std::isfinite(raDegrees) || !std::isfinite(decDegrees)) return kDash;
    // Rounded in the smallest unit first, so that no 60.0 seconds appear.
    const auto ra = static_cast<long long>(std::llround(raDegrees / 15.0 * 3600.0 * 100.0)) % 8640000;
    const auto dec = static_cast<long long>(std::llround(std::abs(decDegrees) * 3600.0 * 10.0));
    const QChar zero(QLatin1Char('0'));
    return QStringLiteral("%1:%2:%3.%4 %5%6:%7:%8.%9")
        .arg(ra / 360000, 2, 10, zero)
        .arg((ra / 6000) % 60, 2, 10, zero)
        .arg((ra / 100) % 60, 2, 10, zero)
        .arg(ra % 100, 2, 10, zero)
        .arg(decDegrees < 0 ? QString(QChar(0x2212)) : QStringLiteral("+"))
        .arg(dec / 36000, 2, 10, zero)
        .arg((dec / 600) % 60, 2, 10, zero)
        .arg((dec / 10) % 60, 2, 10, zero)
        .arg(dec % 10);
}

double magnitude(double flux, double zeroPoint) {
    return flux > 0 ? zeroPoint - 2.5 * std::log10(flux) : std::numeric_limits<double>::quiet_NaN();
}

} // namespace blendscope
