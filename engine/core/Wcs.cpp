#include "core/Wcs.h"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <vector>
#include <wcslib/wcs.h>
#include <wcslib/wcsfix.h>
#include <wcslib/wcshdr.h>
#include <wcslib/wcsmath.h>

namespace blendscope {

namespace {

constexpr double kDegree = M_PI / 180.0;

/// wcspih() and the flex scanners behind it keep state of their own.
std::mutex& parserMutex() {
    static std::mutex mutex;
    return mutex;
}

double numberOf(const std::string& header, const std::string& key, bool& found) {
    found = false;
    for (std::size_t at = 0; at + 80 <= header.size(); at += 80) {
        if (header.compare(at, 9, (key + "        ").substr(0, 8) + "=") != 0) continue;
        found = true;
        return std::strtod(header.substr(at + 10, 70).c_str(), nullptr);
    }
    return 0.0;
}

/// The cards that may say something of coordinates and that the parser survives: it overruns its buffers on strings
/// without an end, and allocates whatever number of axes is claimed.
std::string usableCards(const std::string& header) {
    constexpr std::size_t kCard = 80;
    std::string kept;
    for (std::size_t at = 0; at < header.size(); at += kCard) {
        std::string line = header.substr(at, kCard);
        line.resize(kCard, ' ');
        for (char& c : line) {
            if (static_cast<unsigned char>(c) < 32 || static_cast<unsigned char>(c) > 126) c = ' ';
        }
        if (line.compare(0, 8, "END     ") == 0) break;
        if (line[8] != '=' || line[9] != ' ') continue;
        const std::string key = line.substr(0, line.find_first_of(" ="));
        const std::size_t start = line.find_first_not_of(' ', 10);
        if (start == std::string::npos) continue;
        if (line[start] == '\'') {
            std::size_t end = start + 1;
            while (end < kCard && (line[end] != '\'' || (end + 1 < kCard && line[end + 1] == '\''))) {
                end += line[end] == '\'' ? 2 : 1;
            }
            if (end >= kCard) continue;
        } else if (key == "NAXIS" || key.starts_with("WCSAXES")) {
            const double axes = std::strtod(line.c_str() + start, nullptr);
            if (!(axes >= 1.0 && axes <= 9.0)) continue;
        }
        kept += line;
    }
    return kept;
}

} // namespace

struct Wcs::Solution {
    mutable wcsprm wcs{};
    mutable std::mutex mutex; // wcsp2s and wcss2p write to their argument (status, lazily set tables)
    int axes = 2;
    int lng = 0, lat = 1;
    std::vector<double> otherPixel; // pixel coordinates of axes that are not celestial
    std::string cards;

    Solution() {
        wcs.flag = -1;
        wcsini(0, 2, &wcs);
    }
    ~Solution() { wcsfree(&wcs); }
    Solution(const Solution&) = delete;
    Solution& operator=(const Solution&) = delete;
};

Wcs Wcs::fromHeader(const std::string& header) {
    Wcs result;
    const std::string cards = usableCards(header);
    const std::lock_guard lock(parserMutex());
    int rejected = 0, count = 0;
    wcsprm* parsed = nullptr;
    std::string parsedCards = cards; // the parser may write to them
    const int status = cards.empty() ? 0
                                     : wcspih(parsedCards.data(), static_cast<int>(parsedCards.size() / 80), WCSHDR_all,
                                              0, &rejected, &count, &parsed);
    const auto release = [&] {
        if (parsed) wcsvfree(&count, &parsed);
    };
    if (status != 0 || count < 1 || !parsed) {
        release();
        result.m_problem =
            status ? QStringLiteral("the WCS cards cannot be read: %1").arg(QLatin1String(wcshdr_errmsg[status]))
                   : QStringLiteral("the header has no world coordinates");
        return result;
    }
    auto solution = std::make_shared<Solution>();
    // The primary solution (no letter); others are alternatives.
    int chosen = 0;
    for (int i = 0; i < count; ++i) {
        if (parsed[i].alt[0] == ' ') {
            chosen = i;
            break;
        }
    }
    int fixed[NWCSFIX];
    wcsfix(7, nullptr, &parsed[chosen], fixed);
    wcsfree(&solution->wcs);
    solution->wcs.flag = -1;
    int failure = wcssub(1, &parsed[chosen], nullptr, nullptr, &solution->wcs);
    if (failure == 0) failure = wcsset(&solution->wcs);
    release();
    if (failure != 0) {
        result.m_problem =
            QStringLiteral("the world coordinates cannot be used: %1").arg(QLatin1String(wcs_errmsg[failure]));
        return result;
    }
    const wcsprm& w = solution->wcs;
    if (w.lng < 0 || w.lat < 0) {
        result.m_problem = QStringLiteral("the header has no celestial coordinates");
        return result;
    }
    if (w.lng > 1 || w.lat > 1 || w.naxis < 2 || w.naxis > 8) {
        result.m_problem = QStringLiteral("the celestial axes are not the first two axes of the image");
        return result;
    }
    solution->axes = w.naxis;
    solution->lng = w.lng;
    solution->lat = w.lat;
    solution->otherPixel.assign(w.crpix, w.crpix + w.naxis);

    // A PC matrix that scales, beside CDELT that scales too: allowed, but mostly a writer's mistake.
    bool hasCdelt = false, hasPc = false;
    const double cdelt = numberOf(cards, "CDELT1", hasCdelt);
    const double pc11 = numberOf(cards, "PC1_1", hasPc);
    bool any = false;
    const double pc12 = numberOf(cards, "PC1_2", any), pc21 = numberOf(cards, "PC2_1", any);
    bool hasPc22 = false;
    double pc22 = numberOf(cards, "PC2_2", hasPc22);
    if (!hasPc22) pc22 = 1.0;
    bool hasCd = false;
    numberOf(cards, "CD1_1", hasCd);
    const double det = std::sqrt(std::abs(pc11 * pc22 - pc12 * pc21));
    if (hasPc && hasCdelt && !hasCd && std::abs(cdelt) > 0.0 && std::abs(cdelt) != 1.0 && std::abs(det - 1.0) > 0.01) {
        result.m_warning =
            QStringLiteral("the PC matrix is no rotation (it scales by %1) beside CDELT; taken as the FITS "
                           "standard says, the pixel scale is %2 arcsec, by CDELT alone it were %3")
                .arg(det, 0, 'g', 4)
                .arg(std::abs(cdelt) * det * 3600.0, 0, 'g', 4)
                .arg(std::abs(cdelt) * 3600.0, 0, 'g', 4);
    }
    char* text = nullptr;
    int lines = 0;
    wcsprm copy;
    copy.flag = -1;
    // wcshdo cannot write every distortion; the header's own cards can.
    if (wcssub(1, &solution->wcs, nullptr, nullptr, &copy) == 0) {
        if (wcsset(&copy) == 0 && wcshdo(WCSHDO_safe, &copy, &lines, &text) == 0 && text) {
            solution->cards.assign(text, static_cast<std::size_t>(lines) * 80);
        }
        wcsfree(&copy);
    }
    std::free(text);
    result.m_solution = solution;
    if (!result.toSky(solution->otherPixel[0] - 1.0, solution->otherPixel[1] - 1.0) ||
        !(result.pixelScale(solution->otherPixel[0] - 1.0, solution->otherPixel[1] - 1.0) > 0.0)) {
        result.m_solution.reset();
        result.m_problem = QStringLiteral("the world coordinates have no answer at their own reference pixel");
    }
    return result;
}

Wcs Wcs::tangent(SkyPosition centre, PixelPosition at, double arcsecPerPixel) {
    const auto card = [](const char* key, const std::string& value) {
        std::string line = std::string(key);
        line.resize(8, ' ');
        line += "= " + value;
        line.resize(80, ' ');
        return line;
    };
    const auto number = [](double v) {
        char text[40];
        std::snprintf(text, sizeof text, "%20.15G", v);
        return std::string(text);
    };
    const double step = arcsecPerPixel / 3600.0;
    return fromHeader(card("CTYPE1", "'RA---TAN'") + card("CTYPE2", "'DEC--TAN'") + card("CRVAL1", number(centre.ra)) +
                      card("CRVAL2", number(centre.dec)) + card("CRPIX1", number(at.x + 1.0)) +
                      card("CRPIX2", number(at.y + 1.0)) + card("CD1_1", number(-step)) + card("CD1_2", number(0.0)) +
                      card("CD2_1", number(0.0)) + card("CD2_2", number(step)) + card("CUNIT1", "'deg'") +
                      card("CUNIT2", "'deg'") + card("RADESYS", "'ICRS'"));
}

std::optional<SkyPosition> Wcs::toSky(double x, double y) const {
    if (!m_solution || !std::isfinite(x) || !std::isfinite(y)) return std::nullopt;
    const Solution& s = *m_solution;
    double pixel[8], intermediate[8], world[8], phi = 0.0, theta = 0.0;
    std::copy(s.otherPixel.begin(), s.otherPixel.end(), pixel);
    pixel[0] = x + 1.0; // the FITS convention: the first pixel's centre is 1
    pixel[1] = y + 1.0;
    int status = 0;
    const std::lock_guard lock(s.mutex);
    if (wcsp2s(&s.wcs, 1, s.axes, pixel, intermediate, &phi, &theta, world, &status) != 0 || status != 0) {
        return std::nullopt;
    }
    double ra = std::fmod(world[s.lng], 360.0);
    if (ra < 0.0) ra += 360.0;
    if (ra >= 360.0) ra = 0.0; // a tiny negative angle rounds up
    if (!std::isfinite(ra) || !std::isfinite(world[s.lat])) return std::nullopt;
    return SkyPosition{ra, world[s.lat]};
}

std::optional<PixelPosition> Wcs::toPixel(SkyPosition sky) const {
    if (!m_solution || !std::isfinite(sky.ra) || !std::isfinite(sky.dec)) return std::nullopt;
    const Solution& s = *m_solution;
    double pixel[8], intermediate[8], world[8] = {}, phi = 0.0, theta = 0.0;
    for (int i = 0; i < s.axes; ++i) {
        world[i] = s.wcs.crval[i];
    }
    world[s.lng] = sky.ra;
    world[s.lat] = sky.dec;
    int status = 0;
    const std::lock_guard lock(s.mutex);
    if (wcss2p(&s.wcs, 1, s.axes, world, &phi, &theta, intermediate, pixel, &status) != 0 || status != 0) {
        return std::nullopt;
    }
    if (!std::isfinite(pixel[0]) || !std::isfinite(pixel[1])) return std::nullopt;
    return PixelPosition{pixel[0] - 1.0, pixel[1] - 1.0};
}

namespace {

/// Steps on the tangent plane (deg, towards east and north) for one pixel in x and in y.
struct Jacobian {
    double eastX = 0, eastY = 0, northX = 0, northY = 0;
};

std::optional<Jacobian> jacobianAt(const Wcs& wcs, double x, double y) {
    const auto at = wcs.toSky(x, y), left = wcs.toSky(x - 0.5, y), right = wcs.toSky(x + 0.5, y),
               below = wcs.toSky(x, y - 0.5), above = wcs.toSky(x, y + 0.5);
    if (!at || !left || !right || !below || !above) return std::nullopt;
    const auto tangentPlane = [&](const SkyPosition& p) {
        const double d = (p.ra - at->ra) * kDegree, dec = p.dec * kDegree, dec0 = at->dec * kDegree;
        const double cosine = std::sin(dec0) * std::sin(dec) + std::cos(dec0) * std::cos(dec) * std::cos(d);
        return std::pair(std::cos(dec) * std::sin(d) / cosine / kDegree,
                         (std::cos(dec0) * std::sin(dec) - std::sin(dec0) * std::cos(dec) * std::cos(d)) / cosine /
                             kDegree);
    };
    const auto l = tangentPlane(*left), r = tangentPlane(*right), b = tangentPlane(*below), a = tangentPlane(*above);
    return Jacobian{r.first - l.first, a.first - b.first, r.second - l.second, a.second - b.second};
}

} // namespace

double Wcs::pixelScale(double x, double y) const {
    const auto j = jacobianAt(*this, x, y);
    if (!j) return 0.0;
    return std::sqrt(std::abs(j->eastX * j->northY - j->eastY * j->northX)) * 3600.0;
}

double Wcs::northAngle(double x, double y) const {
    const auto j = jacobianAt(*this, x, y);
    if (!j) return 90.0;
    // The step (dx, dy) that goes north: east = 0.
    const double det = j->eastX * j->northY - j->eastY * j->northX;
    return std::atan2(j->eastX / det, -j->eastY / det) / kDegree;
}

double Wcs::eastAngle(double x, double y) const {
    const auto j = jacobianAt(*this, x, y);
    if (!j) return 180.0;
    const double det = j->eastX * j->northY - j->eastY * j->northX;
    return std::atan2(-j->northX / det, j->northY / det) / kDegree;
}

std::string Wcs::toHeader() const {
    return m_solution ? m_solution->cards : std::string();
}

} // namespace blendscope
