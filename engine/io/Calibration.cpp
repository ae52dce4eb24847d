#include "io/Calibration.h"

#include <QRegularExpression>
#include <cmath>
#include <utility>

namespace blendscope {

namespace {

class Headers {
public:
    Headers(const FitsHeader& image, const FitsHeader& primary) : m_image(image), m_primary(primary) {}
    [[nodiscard]] std::optional<double> number(const char* key) const {
        const auto own = m_image.number(key);
        return own ? own : m_primary.number(key);
    }
    [[nodiscard]] QString string(const char* key) const {
        const QString own = m_image.string(key);
        return own.isEmpty() ? m_primary.string(key) : own;
    }

private:
    const FitsHeader& m_image;
    const FitsHeader& m_primary;
};

bool plausible(double zeroPoint) {
    return zeroPoint > 5.0 && zeroPoint < 60.0;
}

/// AB magnitude of one unit of flux density; NaN where the unit is none.
double zeroPointOfUnit(const QString& unit) {
    static const std::pair<const char*, double> table[] = {
        {"nanomaggy", 22.5}, {"nanomaggies", 22.5}, {"nmgy", 22.5},        {"maggy", 0.0}, {"maggies", 0.0},
        {"njy", 31.4},       {"ujy", 23.9},         {"microjy", 23.9},     {"mujy", 23.9}, {"mjy", 16.4},
        {"jy", 8.9},         {"nanojansky", 31.4},  {"microjansky", 23.9}, {"jansky", 8.9}};
    const QString lower = unit.trimmed().toLower();
    for (const auto& [name, zeroPoint] : table) {
        // "MJy" is mega, "mJy" milli: only the latter is meant above.
        if (lower == QLatin1String(name) && unit.trimmed() != QLatin1String("MJy")) return zeroPoint;
    }
    if (unit.trimmed() == QLatin1String("MJy")) return 8.9 - 15.0;
    return std::numeric_limits<double>::quiet_NaN();
}

} // namespace

Calibration readCalibration(const FitsHeader& image, const FitsHeader& primary) {
    static const QRegularExpression perSecond(QStringLiteral("(/\\s*s(ec(ond)?)?\\b|\\bs(ec)?\\s*(\\^|\\*\\*)?\\s*-1)"),
                                              QRegularExpression::CaseInsensitiveOption);
    const Headers h(image, primary);
    Calibration c;
    const QString unit = h.string("BUNIT");
    const bool isRate = perSecond.match(unit).hasMatch();
    const QString lower = unit.toLower();
    const bool isElectrons = lower.startsWith(QLatin1String("electron")) || lower == QLatin1String("e-") ||
                             lower.startsWith(QLatin1String("e-/")) || lower == QLatin1String("e/s");
    const double exposure = h.number("EXPTIME").value_or(0.0);
    const double unitZeroPoint = zeroPointOfUnit(unit);

    for (const char* key : {"MAGZERO", "PHOTZP", "ZP", "MAGZPT", "MAGZP"}) {
        const auto value = h.number(key);
        if (!value || !plausible(*value)) continue;
        c.zeroPoint = *value;
        const bool dark = h.string("INSTRUME").compare(QLatin1String("DECam"), Qt::CaseInsensitive) == 0;
        if (QLatin1String(key) == QLatin1String("MAGZPT") && dark && !isRate && exposure > 0.0) {
            c.zeroPoint += 2.5 * std::log10(exposure);
            c.notes << QStringLiteral("MAGZPT is taken for one second, as DECam's pipeline means it");
        }
        break;
    }
    if (std::isnan(c.zeroPoint)) {
        if (const auto flux = h.number("FLUXMAG0"); flux && *flux > 0.0) {
            c.zeroPoint = 2.5 * std::log10(*flux);
        } else if (const auto lambda = h.number("PHOTFLAM"), pivot = h.number("PHOTPLAM");
                   lambda && pivot && *lambda > 0.0 && *pivot > 0.0) {
            // STScI: ABmag zero point of counts per second.
            c.zeroPoint = -2.5 * std::log10(*lambda) - 5.0 * std::log10(*pivot) - 2.408;
            if (!isRate && exposure > 0.0) {
                c.zeroPoint += 2.5 * std::log10(exposure);
                c.notes << QStringLiteral("PHOTFLAM is per second: the zero point holds EXPTIME too");
            }
        } else if (const auto area = h.number("PIXAR_SR");
                   area && *area > 0.0 && unit.trimmed() == QLatin1String("MJy/sr")) {
            c.zeroPoint = -2.5 * std::log10(*area * 1e6) + 8.9;
        } else if (!std::isnan(unitZeroPoint)) {
            c.zeroPoint = unitZeroPoint;
            c.notes << QStringLiteral("zero point %1 from the unit %2").arg(unitZeroPoint).arg(unit);
        }
    }

    const bool isFluxDensity = !std::isnan(unitZeroPoint) || lower.contains(QLatin1String("jy")) ||
                               lower.contains(QLatin1String("maggy")) || lower.contains(QLatin1String("erg"));
    if (isElectrons) {
        c.gain = 1.0;
        if (isRate) {
            // One count per second is EXPTIME electrons; 1 s is what stacks write that have lost theirs.
            c.gain = exposure > 1.0 ? exposure : 0.0;
            if (c.gain > 0.0)
                c.notes << QStringLiteral("gain %1 from EXPTIME, as the unit is %2").arg(exposure).arg(unit);
        }
    } else if (!isFluxDensity) {
        for (const char* key : {"GAIN", "EGAIN", "CCDGAIN", "ATODGAIN"}) {
            const auto value = h.number(key);
            if (!value || !(*value > 0.0) || !(*value < 1e9)) continue;
            c.gain = *value;
            if (isRate) c.gain = exposure > 1.0 ? *value * exposure : 0.0;
            break;
        }
    }
    for (const char* key : {"SKYSUB", "BACKSUB", "BKGSUB", "SUBBACK"}) {
        if (h.string(key) == QLatin1String("T")) c.skySubtracted = true;
    }
    return c;
}

std::optional<HeaderFwhm> readFwhm(const FitsHeader& image, const FitsHeader& primary, double pixelScale) {
    const Headers h(image, primary);
    const auto usable = [](double pixels) { return pixels > 0.5 && pixels < 100.0; };
    if (pixelScale > 0.0) {
        for (const char* key : {"PSFFWHM", "PSF_FWHM", "IQFINAL", "SEEING", "FINALIQ"}) {
            const auto value = h.number(key);
            if (value && usable(*value / pixelScale)) return HeaderFwhm{*value / pixelScale, QLatin1String(key)};
        }
    }
    for (const char* key : {"FWHM_PIX", "FWHM"}) {
        const auto value = h.number(key);
        if (value && usable(*value)) return HeaderFwhm{*value, QLatin1String(key)};
    }
    return std::nullopt;
}

} // namespace blendscope
