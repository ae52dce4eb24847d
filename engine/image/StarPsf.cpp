#include "image/StarPsf.h"

#include "core/Error.h"
#include "image/Background.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <vector>

namespace blendscope {

namespace {

constexpr double kLeastFwhm = 1.3; // px; smaller ones are cosmic rays and hot pixels
constexpr double kMostFwhm = 30.0; // px
constexpr int kMostCandidates = 1500;

struct Candidate {
    cv::Point peak;
    cv::Point2d centre;
    double height = 0.0; // of the smoothed image, in sigma
    double fwhm = 0.0;
    double ellipticity = 0.0;
};

double bilinear(const cv::Mat& image, double x, double y) {
    const int ix = static_cast<int>(std::floor(x)), iy = static_cast<int>(std::floor(y));
    if (ix < 0 || iy < 0 || ix + 1 >= image.cols || iy + 1 >= image.rows) return std::nan("");
    const double fx = x - ix, fy = y - iy;
    return (1 - fy) * ((1 - fx) * image.at<float>(iy, ix) + fx * image.at<float>(iy, ix + 1)) +
           fy * ((1 - fx) * image.at<float>(iy + 1, ix) + fx * image.at<float>(iy + 1, ix + 1));
}

/// Lanczos' kernel of order 3: unlike a cubic it broadens a PSF of two pixels by less than 2 %.
double lanczos(double t) {
    if (std::abs(t) < 1e-9) return 1.0;
    if (std::abs(t) >= 3.0) return 0.0;
    const double a = CV_PI * t;
    return 3.0 * std::sin(a) * std::sin(a / 3.0) / (a * a);
}

/// Interpolates at (x, y); NaN near the border or near a NaN.
double interpolate(const cv::Mat& image, double x, double y) {
    const int ix = static_cast<int>(std::floor(x)), iy = static_cast<int>(std::floor(y));
    if (ix < 2 || iy < 2 || ix + 3 >= image.cols || iy + 3 >= image.rows) return std::nan("");
    double wx[6], wy[6], sumX = 0.0, sumY = 0.0;
    for (int k = 0; k < 6; ++k) {
        sumX += wx[k] = lanczos(x - (ix - 2 + k));
        sumY += wy[k] = lanczos(y - (iy - 2 + k));
    }
    double v = 0.0;
    for (int j = 0; j < 6; ++j) {
        const float* row = image.ptr<float>(iy - 2 + j) + ix - 2;
        for (int i = 0; i < 6; ++i) {
            v += wy[j] * wx[i] * row[i];
        }
    }
    return v / (sumX * sumY);
}

/// Mean of `image` on a circle; NaN where it leaves the image.
double ring(const cv::Mat& image, cv::Point2d c, double r) {
    const int n = std::clamp(static_cast<int>(std::ceil(6.0 * r)), 12, 90);
    double sum = 0.0;
    for (int k = 0; k < n; ++k) {
        const double a = 2.0 * CV_PI * k / n;
        sum += bilinear(image, c.x + r * std::cos(a), c.y + r * std::sin(a));
    }
    return sum / n;
}

/// Centroid, FWHM and ellipticity with a Gaussian weight that follows the source; false where that fails.
bool measure(const cv::Mat& sky, Candidate& c) {
    double sigma2 = 2.0;
    c.centre = c.peak;
    double mxx = sigma2, myy = sigma2, mxy = 0.0;
    for (int iteration = 0; iteration < 12; ++iteration) {
        const int reach = static_cast<int>(std::ceil(3.0 * std::sqrt(sigma2)));
        const int cx = static_cast<int>(std::lround(c.centre.x)), cy = static_cast<int>(std::lround(c.centre.y));
        if (cx - reach < 1 || cy - reach < 1 || cx + reach >= sky.cols - 1 || cy + reach >= sky.rows - 1) return false;
        double sum = 0, sx = 0, sy = 0, sxx = 0, syy = 0, sxy = 0;
        for (int y = cy - reach; y <= cy + reach; ++y) {
            for (int x = cx - reach; x <= cx + reach; ++x) {
                const double dx = x - c.centre.x, dy = y - c.centre.y;
                const double v = sky.at<float>(y, x);
                if (!std::isfinite(v)) return false;
                const double w = v * std::exp(-0.5 * (dx * dx + dy * dy) / sigma2);
                sum += w;
                sx += w * dx;
                sy += w * dy;
                sxx += w * dx * dx;
                syy += w * dy * dy;
                sxy += w * dx * dy;
            }
        }
        if (!(sum > 0.0)) return false;
        c.centre += cv::Point2d(2.0 * sx / sum, 2.0 * sy / sum);
        if (std::hypot(c.centre.x - c.peak.x, c.centre.y - c.peak.y) > 2.0) return false;
        // Twice the weighted moment is the source's own for a matched Gaussian.
        mxx = 2.0 * sxx / sum;
        myy = 2.0 * syy / sum;
        mxy = 2.0 * sxy / sum;
        const double next = 0.5 * (mxx + myy);
        if (!(next > 0.05) || next > kMostFwhm * kMostFwhm / 5.5) return false;
        const bool done = std::abs(next - sigma2) < 1e-3 * sigma2;
        sigma2 = next;
        if (done) break;
    }
    c.ellipticity = std::hypot(mxx - myy, 2.0 * mxy) / (mxx + myy);

    const double top = bilinear(sky, c.centre.x, c.centre.y);
    if (!(top > 0.0)) return false;
    double before = top, rBefore = 0.0;
    for (double r = 0.25; r < kMostFwhm; r += 0.25) {
        const double v = ring(sky, c.centre, r);
        if (!std::isfinite(v)) return false;
        if (v <= 0.5 * top) {
            c.fwhm = 2.0 * (rBefore + (r - rBefore) * (before - 0.5 * top) / std::max(1e-30, before - v));
            return true;
        }
        before = v;
        rBefore = r;
    }
    return false;
}

double median(std::vector<double>& v) {
    const auto middle = v.begin() + static_cast<std::ptrdiff_t>(v.size() / 2);
    std::nth_element(v.begin(), middle, v.end());
    return *middle;
}

/// The smallest size that many candidates share: the densest window in ln FWHM, smaller sizes preferred.
double stellarFwhm(const std::vector<Candidate>& candidates, double spread) {
    std::vector<double> sizes;
    sizes.reserve(candidates.size());
    for (const Candidate& c : candidates) {
        sizes.push_back(std::log(c.fwhm));
    }
    std::sort(sizes.begin(), sizes.end());
    std::vector<std::size_t> counts(sizes.size());
    std::size_t most = 0;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
        const auto end = std::upper_bound(sizes.begin(), sizes.end(), sizes[i] + 2.0 * spread);
        counts[i] = static_cast<std::size_t>(end - sizes.begin()) - i;
        most = std::max(most, counts[i]);
    }
    for (std::size_t i = 0; i < sizes.size(); ++i) {
        // Galaxies may outnumber the stars, but not as densely at one size.
        if (10 * counts[i] < 6 * most || counts[i] < 3) continue;
        // Climb to the fullest window that overlaps this one.
        std::size_t best = i;
        for (std::size_t k = i; k < sizes.size() && sizes[k] < sizes[i] + 2.0 * spread; ++k) {
            if (counts[k] > counts[best]) best = k;
        }
        std::vector<double> inside(sizes.begin() + static_cast<std::ptrdiff_t>(best),
                                   sizes.begin() + static_cast<std::ptrdiff_t>(best + counts[best]));
        return std::exp(median(inside));
    }
    return 0.0;
}

} // namespace

std::optional<StarPsf> estimateStarPsf(const Band& band, const StarPsfOptions& options) {
    const cv::Size size = band.image->size();
    if (size.width < 24 || size.height < 24) return std::nullopt;
    Box box{0, 0, std::min(size.width, options.mostPixels), std::min(size.height, options.mostPixels)};
    box.x0 = (size.width - box.width) / 2;
    box.y0 = (size.height - box.height) / 2;

    Band part;
    part.image = std::make_shared<MemoryPlane>(band.image->read(box));
    const cv::Mat image = part.image->readAll();
    const auto background = Background::measure(*part.image);
    const cv::Mat level = background->level(Box::of(image.size())), rms = background->rms(Box::of(image.size()));
    cv::Mat mask;
    const int bad = band.unusableBits();
    if (band.mask && bad) mask = band.mask->read(box);

    // Sky-subtracted; unusable pixels stay NaN, so that nothing near them is taken.
    cv::Mat sky(image.size(), CV_32F), filled(image.size(), CV_32F);
    for (int y = 0; y < image.rows; ++y) {
        for (int x = 0; x < image.cols; ++x) {
            float v = image.at<float>(y, x) - level.at<float>(y, x);
            if (!mask.empty() && (mask.at<int>(y, x) & bad)) v = std::numeric_limits<float>::quiet_NaN();
            sky.at<float>(y, x) = v;
            filled.at<float>(y, x) = std::isfinite(v) ? v : 0.0f;
        }
    }
    cv::Mat smooth;
    cv::GaussianBlur(filled, smooth, {7, 7}, 1.0, 1.0, cv::BORDER_REPLICATE);
    constexpr double kNoiseLeft = 0.2821; // 1 / (2 sqrt(pi) sigma): white noise after that filter

    std::vector<Candidate> peaks;
    for (int y = 2; y < image.rows - 2; ++y) {
        for (int x = 2; x < image.cols - 2; ++x) {
            const float v = smooth.at<float>(y, x);
            const float sigma = rms.at<float>(y, x) * static_cast<float>(kNoiseLeft);
            if (!(sigma > 0.0f) || v < 5.0f * sigma) continue;
            bool top = true;
            for (int j = -1; j <= 1 && top; ++j) {
                for (int i = -1; i <= 1; ++i) {
                    const float n = smooth.at<float>(y + j, x + i);
                    if ((i || j) && (n > v || (n == v && (j < 0 || (j == 0 && i < 0))))) {
                        top = false;
                        break;
                    }
                }
            }
            if (top) peaks.push_back({{x, y}, {}, v / sigma, 0.0, 0.0});
        }
    }
    std::stable_sort(peaks.begin(), peaks.end(), [](const auto& a, const auto& b) { return a.height > b.height; });
    cv::Mat owner(image.size(), CV_32S, cv::Scalar(-1)); // peaks on a map, to look for neighbours
    for (std::size_t i = 0; i < peaks.size(); ++i) {
        owner.at<int>(peaks[i].peak) = static_cast<int>(i);
    }
    const auto isolated = [&](const Candidate& c, double radius) {
        const int reach = static_cast<int>(std::ceil(radius));
        for (int y = std::max(0, c.peak.y - reach); y <= std::min(image.rows - 1, c.peak.y + reach); ++y) {
            for (int x = std::max(0, c.peak.x - reach); x <= std::min(image.cols - 1, c.peak.x + reach); ++x) {
                const int other = owner.at<int>(y, x);
                if (other < 0 || (x == c.peak.x && y == c.peak.y)) continue;
                if (std::hypot(x - c.peak.x, y - c.peak.y) <= radius &&
                    peaks[static_cast<std::size_t>(other)].height > 0.08 * c.height) {
                    return false;
                }
            }
        }
        return true;
    };

    std::vector<Candidate> candidates;
    for (const Candidate& peak : peaks) {
        if (peak.height < options.minimumSignificance || static_cast<int>(candidates.size()) >= kMostCandidates) break;
        Candidate c = peak;
        if (!measure(sky, c) || c.fwhm < kLeastFwhm || c.fwhm > kMostFwhm || c.ellipticity > 0.3) continue;
        if (isolated(c, std::max(5.0, 2.5 * c.fwhm))) candidates.push_back(c);
    }
    if (static_cast<int>(candidates.size()) < options.fewestStars) return std::nullopt;
    const double fwhm = stellarFwhm(candidates, options.sizeSpread);
    if (!(fwhm > 0.0)) return std::nullopt;

    const int reach = std::clamp(static_cast<int>(std::ceil(4.0 * fwhm)), 6, 60);
    const int side = 2 * reach + 1;
    std::vector<cv::Mat> stamps;
    std::vector<double> ellipticities;
    for (const Candidate& c : candidates) {
        if (std::abs(std::log(c.fwhm / fwhm)) <= options.sizeSpread) ellipticities.push_back(c.ellipticity);
    }
    if (ellipticities.empty()) return std::nullopt;
    const double usualEllipticity = median(ellipticities);
    for (const Candidate& c : candidates) {
        if (static_cast<int>(stamps.size()) >= options.mostStars) break;
        if (std::abs(std::log(c.fwhm / fwhm)) > options.sizeSpread || c.ellipticity > usualEllipticity + 0.08) continue;
        cv::Mat stamp(side, side, CV_32F);
        double core = 0.0;
        std::vector<double> rim;
        bool usable = true;
        for (int y = 0; y < side && usable; ++y) {
            for (int x = 0; x < side; ++x) {
                const double v = interpolate(sky, c.centre.x + x - reach, c.centre.y + y - reach);
                const double r = std::hypot(x - reach, y - reach);
                if (!std::isfinite(v) && r < 2.5 * fwhm) {
                    usable = false;
                    break;
                }
                stamp.at<float>(y, x) = static_cast<float>(v);
                if (r <= 1.25 * fwhm) core += v;
                if (r > 3.4 * fwhm && std::isfinite(v)) rim.push_back(v);
            }
        }
        if (!usable) continue;
        const double base = rim.size() > 10 ? median(rim) : 0.0;
        core -= base * CV_PI * 1.5625 * fwhm * fwhm;
        if (!(core > 0.0)) continue;
        stamp -= base;
        stamps.push_back(stamp * (1.0 / core));
    }
    if (static_cast<int>(stamps.size()) < options.fewestStars) return std::nullopt;

    // Pixel by pixel: median, then the mean of what lies within 3 robust sigma of it.
    cv::Mat stack = cv::Mat::zeros(side, side, CV_32F);
    std::vector<double> values, deviations;
    for (int y = 0; y < side; ++y) {
        for (int x = 0; x < side; ++x) {
            values.clear();
            for (const cv::Mat& s : stamps) {
                if (std::isfinite(s.at<float>(y, x))) values.push_back(s.at<float>(y, x));
            }
            if (values.size() < 2) continue;
            const double middle = median(values);
            deviations.clear();
            for (const double v : values) {
                deviations.push_back(std::abs(v - middle));
            }
            const double limit = 3.0 * 1.4826 * median(deviations) + 1e-12;
            double sum = 0.0;
            int n = 0;
            for (const double v : values) {
                if (std::abs(v - middle) > limit) continue;
                sum += v;
                ++n;
            }
            stack.at<float>(y, x) = static_cast<float>(n ? sum / n : middle);
        }
    }
    // Wings: beyond 2 FWHM the azimuthal median says more than single pixels; never below 0, and falling.
    const double inner = 2.0 * fwhm;
    std::vector<std::vector<double>> annuli(static_cast<std::size_t>(2 * reach + 2));
    for (int y = 0; y < side; ++y) {
        for (int x = 0; x < side; ++x) {
            annuli[static_cast<std::size_t>(std::lround(std::hypot(x - reach, y - reach)))].push_back(
                stack.at<float>(y, x));
        }
    }
    std::vector<double> profile;
    for (auto& annulus : annuli) {
        const double v = annulus.empty() ? 0.0 : std::max(0.0, median(annulus));
        profile.push_back(profile.empty() ? v : std::min(profile.back(), v));
    }
    for (int y = 0; y < side; ++y) {
        for (int x = 0; x < side; ++x) {
            const double r = std::hypot(x - reach, y - reach);
            const auto k = static_cast<std::size_t>(r);
            const double smoothValue =
                r > reach ? 0.0 : profile[k] + (r - static_cast<double>(k)) * (profile[k + 1] - profile[k]);
            const double blend = std::clamp((r - inner) / (0.5 * fwhm), 0.0, 1.0);
            float& v = stack.at<float>(y, x);
            v = static_cast<float>(std::max(0.0, (1.0 - blend) * v + blend * smoothValue));
        }
    }
    try {
        return StarPsf{Psf::fromImage(stack, Psf::Origin::Stars), static_cast<int>(stamps.size())};
    } catch (const ReadError&) {
        return std::nullopt;
    }
}

} // namespace blendscope
