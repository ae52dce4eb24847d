#include "SourceSearch.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <opencv2/imgproc.hpp>

namespace blendscope {

namespace {

constexpr double kLeastPeak = 9.0; // of the residual's significance map, sigma^2
constexpr std::size_t kMostPeaks = 6;
constexpr int kMostPerPeak = 3, kMostMore = 2; // sources in a blend, by its peaks: bounds the time
constexpr std::size_t kMostRejected = 1;       // in a blend, and one more for each peak
constexpr double kRejectedOfFwhm = 1.0;        // around what was rejected nothing is tried again
constexpr long long kLargePixels = 6000;       // of a blend's box, beyond which one fit a round must do
constexpr double kMostMisfit = 2.0;            // chi-square a pixel, beyond which models of a galaxy compare nothing
constexpr double kResolvedOfFwhm = 0.4;        // half-light radius of a galaxy whose form can be seen
constexpr double kGreatGain = 400.0;           // chi-square: of candidates on very bright galaxies
constexpr double kStructure = 0.05; // rms of their structure on the scale of the PSF, relative to their light
constexpr double kDiskReach = 2.8;  // half-light radii within which it lies
constexpr double kSigmaOfFwhm = 1.0 / 2.3548200450309493;
constexpr double kRing = 0.7; // FWHM: distance of the places beside a source at which one more is tried

double square(double v) {
    return v * v;
}

/// Sum over bands of the squared S/N of a point source on the residual, negative ones left out.
cv::Mat significanceMap(const JointFit& fit, const std::vector<GaussianPsf>& psf) {
    cv::Mat total;
    for (std::size_t b = 0; b < psf.size(); ++b) {
        const cv::Mat weight = fit.weight(int(b)), weighted = fit.residual(int(b)).mul(weight);
        const double sigma = psf[b].fwhmPixels * kSigmaOfFwhm;
        const int size = 2 * int(std::ceil(3.0 * sigma)) + 1;
        const cv::Mat kernel = cv::getGaussianKernel(size, sigma, CV_32F);
        const cv::Mat squared = kernel.mul(kernel);
        cv::Mat up, down;
        cv::sepFilter2D(weighted, up, CV_32F, kernel, kernel, {-1, -1}, 0.0, cv::BORDER_CONSTANT);
        cv::sepFilter2D(weight, down, CV_32F, squared, squared, {-1, -1}, 0.0, cv::BORDER_CONSTANT);
        if (total.empty()) total = cv::Mat::zeros(up.size(), CV_32F);
        for (int y = 0; y < up.rows; ++y) {
            const float *u = up.ptr<float>(y), *d = down.ptr<float>(y);
            float* t = total.ptr<float>(y);
            for (int x = 0; x < up.cols; ++x) {
                if (u[x] > 0.0f && d[x] > 0.0f) t[x] += u[x] * u[x] / d[x];
            }
        }
    }
    return total;
}

} // namespace

JointSource startAt(const Peak& peak, const BlendInput& blend, const SearchOptions& options) {
    JointSource s;
    s.x = s.startX = peak.x - blend.box.x0;
    s.y = s.startY = peak.y - blend.box.y0;
    s.positionSigma = options.positionSigma;
    s.logRadius = options.profile.sizePriorMean;
    s.flux.assign(blend.data.size(), 0.0);
    return s;
}

SourceSearch::SourceSearch(const BlendInput& blend, const PsfSet& psf, const SearchOptions& options,
                           const Progress& progress)
    : m_blend(blend), m_psf(psf), m_options(options), m_progress(progress),
      m_fit(blend, psf.mixtures, options.profile, progress), m_bands(int(blend.data.size())) {}

bool SourceSearch::inside(double x, double y) const {
    const int px = int(std::lround(x)), py = int(std::lround(y));
    return px >= 0 && py >= 0 && px < m_blend.inside.cols && py < m_blend.inside.rows &&
           m_blend.inside.at<unsigned char>(py, px) != 0;
}

void SourceSearch::run() {
    for (const Peak& peak : m_blend.peaks) {
        m_fit.sources().push_back(startAt(peak, m_blend, m_options));
    }
    m_peaks.resize(m_blend.peaks.size());
    std::iota(m_peaks.begin(), m_peaks.end(), 0);
    m_steps += m_fit.run();
    dropPeaks();
    const std::size_t dropped = m_rejected.size();
    const int most = std::min(m_options.maxSources, kMostPerPeak * int(m_blend.peaks.size()) + kMostMore);
    const std::size_t mostRejected = kMostRejected + m_blend.peaks.size();
    for (int round = dropped > 0 ? 2 : 1;
         int(m_fit.sources().size()) < most && m_rejected.size() < dropped + mostRejected; ++round) {
        if (oneMore(round) == Round::Exhausted) break;
    }
}

void SourceSearch::dropPeaks() {
    std::vector<std::pair<double, int>> faintFirst;
    for (std::size_t k = 0; k < m_peaks.size(); ++k) {
        const std::vector<double>& flux = m_fit.sources()[k].flux;
        faintFirst.emplace_back(std::accumulate(flux.begin(), flux.end(), 0.0), int(k));
    }
    std::sort(faintFirst.begin(), faintFirst.end());
    for (const auto& faint : faintFirst) {
        const double light = faint.first;
        const int peak = faint.second;
        m_progress.check();
        const std::vector<JointSource> with = m_fit.sources();
        const int at = int(std::lower_bound(m_peaks.begin(), m_peaks.end(), peak) - m_peaks.begin());
        const JointSource& s = with[std::size_t(at)];
        // Two peaks of one galaxy share it: what its form is shows when one of them is gone.
        const auto isOn = [&](const JointSource& host, double leastRadius) {
            const double radius = host.point ? 0.0 : std::exp(host.logRadius);
            return radius > leastRadius && std::accumulate(host.flux.begin(), host.flux.end(), 0.0) > light &&
                   std::hypot(host.x - s.x, host.y - s.y) < kDiskReach * radius + m_psf.fwhmPixels;
        };
        if (std::none_of(with.begin(), with.end(), [&](const JointSource& o) { return &o != &s && isOn(o, -1.0); }))
            continue;
        const double cost = m_fit.cost();
        std::vector<JointSource> without = with;
        without.erase(without.begin() + at);
        m_fit.sources() = without;
        const double gain = m_fit.refine(m_options.profile.iterations) - cost;
        without = m_fit.sources();
        m_fit.sources() = with;
        const bool resolved = std::any_of(without.begin(), without.end(), [&](const JointSource& host) {
            return isOn(host, kResolvedOfFwhm * m_psf.fwhmPixels);
        });
        if (!resolved) {
            m_fit.refine(0);
            continue;
        }
        std::rotate(m_fit.sources().begin() + at, m_fit.sources().begin() + at + 1, m_fit.sources().end());
        m_fit.refine(0);
        SourceCandidate evidence = weigh(int(with.size()) - 1, gain, 1);
        const bool drop = m_traits.probability() < m_options.leastPeakProbability;
        m_fit.sources() = drop ? without : with;
        m_fit.refine(0);
        if (!drop) continue;
        evidence.reason =
            QStringLiteral("a peak of the detector, but structure of the galaxy explains it: ") + m_traits.words();
        m_rejected.push_back(evidence);
        m_peaks.erase(m_peaks.begin() + at);
    }
}

bool SourceSearch::rejectedNear(double x, double y) const {
    const double radius2 = square(kRejectedOfFwhm * m_psf.fwhmPixels);
    return std::any_of(m_rejected.begin(), m_rejected.end(), [&](const SourceCandidate& c) {
        return square(c.x - m_blend.box.x0 - x) + square(c.y - m_blend.box.y0 - y) < radius2;
    });
}

std::vector<SourceSearch::Start> SourceSearch::listStarts() {
    std::vector<Start> starts;
    const auto offer = [&](double x, double y, double logRadius) {
        if (!inside(x, y) || rejectedNear(x, y)) return;
        for (const Start& other : starts) {
            if (square(other.source.x - x) + square(other.source.y - y) < 1.0) return;
        }
        Start start;
        start.source.x = start.source.startX = x;
        start.source.y = start.source.startY = y;
        start.source.positionSigma = m_options.positionSigma;
        start.source.logRadius = logRadius;
        starts.push_back(start);
    };
    cv::Mat map = significanceMap(m_fit, m_psf.mixtures);
    map.setTo(0.0f, m_blend.inside == 0);
    const int reach = std::max(2, int(std::lround(0.5 * m_psf.fwhmPixels)));
    const double size = m_options.profile.sizePriorMean;
    for (std::size_t i = 0; i < kMostPeaks; ++i) {
        double top = 0.0;
        cv::Point at;
        cv::minMaxLoc(map, nullptr, &top, nullptr, &at);
        if (top < kLeastPeak) break;
        offer(at.x, at.y, size);
        cv::circle(map, at, reach, cv::Scalar(0.0f), cv::FILLED);
    }
    const double ring = kRing * m_psf.fwhmPixels;
    for (const JointSource& s : m_fit.sources()) {
        const double theta = 0.5 * std::atan2(s.e2, s.e1);
        for (int i = 0; i < 8; ++i) {
            const double angle = theta + i * std::numbers::pi / 4.0;
            offer(s.x + ring * std::cos(angle), s.y + ring * std::sin(angle), size);
        }
    }
    m_fit.prepareScore();
    for (Start& start : starts) {
        start.score = m_fit.score(start.source, start.source.flux);
    }
    std::stable_sort(starts.begin(), starts.end(), [](const Start& a, const Start& b) { return a.score > b.score; });
    return starts;
}

SourceCandidate SourceSearch::describe(const JointSource& source, double gain, int round) const {
    SourceCandidate c;
    c.x = source.x + m_blend.box.x0;
    c.y = source.y + m_blend.box.y0;
    c.step = round;
    c.gain = gain;
    return c;
}

SourceSearch::Round SourceSearch::oneMore(int round) {
    m_progress.check();
    std::vector<Start> starts = listStarts();
    std::erase_if(starts, [&](const Start& s) { return s.score < m_options.leastScore; });
    if (starts.empty()) return Round::Exhausted;

    // The other way to make two of one: both move away from its centre.
    const std::vector<JointSource> before = m_fit.sources();
    const double cost = m_fit.cost();
    int host = -1;
    double nearest = square(2.0 * m_psf.fwhmPixels);
    for (std::size_t k = 0; k < before.size(); ++k) {
        const double d = square(before[k].x - starts[0].source.x) + square(before[k].y - starts[0].source.y);
        if (d < nearest) {
            nearest = d;
            host = int(k);
        }
    }
    const bool large = m_blend.box.area() > kLargePixels;
    const int trials = large ? 1 : m_options.trials;
    if (int(starts.size()) > trials) starts.resize(std::size_t(trials));
    if (host >= 0 && !before[std::size_t(host)].point) {
        const JointSource& s = before[std::size_t(host)];
        const double e = std::hypot(s.e1, s.e2), r = std::exp(s.logRadius);
        if (!large && (e > 0.15 || r > 0.4 * m_psf.fwhmPixels)) {
            Start split = starts[0];
            split.split = host;
            starts.push_back(split);
        }
    }

    std::vector<JointSource> best;
    double bestCost = cost;
    for (const Start& start : starts) {
        m_progress.check();
        m_fit.sources() = before;
        JointSource added = start.source;
        if (start.split >= 0) {
            JointSource& s = m_fit.sources()[std::size_t(start.split)];
            const double theta = 0.5 * std::atan2(s.e2, s.e1), r = std::exp(s.logRadius);
            const double move = 0.5 * (0.8 * r + 0.2 * m_psf.fwhmPixels);
            const double dx = move * std::cos(theta), dy = move * std::sin(theta);
            const double towards = (start.source.x - s.x) * dx + (start.source.y - s.y) * dy < 0.0 ? -1.0 : 1.0;
            added = s;
            added.x += towards * dx;
            added.y += towards * dy;
            s.x -= towards * dx;
            s.y -= towards * dy;
            added.startX = added.x;
            added.startY = added.y;
            added.positionSigma = m_options.positionSigma;
            added.logRadius = s.logRadius = std::max(s.logRadius - 0.4, -0.5);
            added.e1 = added.e2 = s.e1 = s.e2 = 0.0;
            for (std::size_t b = 0; b < added.flux.size(); ++b)
                added.flux[b] = s.flux[b] = 0.5 * s.flux[b];
        }
        m_fit.sources().push_back(added);
        const double now = m_fit.refine(m_options.profile.iterations);
        if (now < bestCost) {
            bestCost = now;
            best = m_fit.sources();
        }
    }
    const double gain = cost - bestCost;
    SourceCandidate evidence;
    if (best.empty()) {
        evidence = describe(starts[0].source, 0.0, round);
        evidence.reason = QStringLiteral("no fit with one source more is better");
    } else {
        m_fit.sources() = best;
        m_fit.refine(0);
        const int added = int(best.size()) - 1;
        evidence = weigh(added, gain, round);
        evidence.reason = refusal(evidence, added);
    }
    if (!evidence.reason.isEmpty()) {
        // Where it was looked for counts as looked at, wherever the fit took it.
        if (!best.empty() && !rejectedNear(starts[0].source.x, starts[0].source.y)) {
            evidence.x = starts[0].source.x + m_blend.box.x0;
            evidence.y = starts[0].source.y + m_blend.box.y0;
        }
        m_rejected.push_back(evidence);
        m_fit.sources() = before;
        m_fit.refine(0);
        return Round::Rejected;
    }
    evidence.reason =
        QStringLiteral("the pixels need it: it gains %1 in chi-square and is ").arg(gain, 0, 'f', 0) + m_traits.words();
    m_accepted.push_back(evidence);
    m_steps += m_fit.settle(1);
    return Round::Accepted;
}

SourceCandidate SourceSearch::weigh(int added, double gain, int round) {
    const std::vector<JointSource>& sources = m_fit.sources();
    const JointSource& s = sources[std::size_t(added)];
    SourceCandidate c = describe(s, gain, round);
    int partner = -1;
    double separation = 1e9;
    for (int k = 0; k < added; ++k) {
        const double d = std::hypot(sources[std::size_t(k)].x - s.x, sources[std::size_t(k)].y - s.y);
        if (d >= separation) continue;
        separation = d;
        partner = k;
    }
    c.contrast = m_fit.contrast(added);
    c.misfit = m_fit.misfit(added);
    m_traits = {};
    if (partner < 0) {
        c.significance = gain / square(c.misfit);
        return c;
    }
    c.contrast = std::min(c.contrast, m_fit.contrast(partner));
    c.misfit = std::max(c.misfit, m_fit.misfit(partner));
    // The fainter of the two may be structure of the other: the new source may have taken the galaxy's best part.
    const auto light = [](const JointSource& j, std::size_t from, std::size_t to) {
        double sum = 0.0;
        for (std::size_t b = from; b < to; ++b)
            sum += j.flux[b];
        return sum;
    };
    const std::size_t bands = std::size_t(m_bands), middle = bands / 2;
    const bool brighter = light(s, 0, bands) > light(sources[std::size_t(partner)], 0, bands);
    const int hostIndex = brighter ? added : partner, otherIndex = brighter ? partner : added;
    const JointSource host = sources[std::size_t(hostIndex)], other = sources[std::size_t(otherIndex)];
    SourceTraits& t = m_traits;
    // A pair that still misses the light is no better than the structure that it leaves.
    t.gain = gain / square(c.misfit);
    t.rawGain = gain;
    t.contrast = c.contrast;
    t.alien = c.colour = m_fit.alienColour(otherIndex, hostIndex);
    const double theta = 0.5 * std::atan2(host.e2, host.e1), stretch = 0.5 * std::hypot(host.e1, host.e2);
    const double dx = other.x - host.x, dy = other.y - host.y;
    const double along = (dx * std::cos(theta) + dy * std::sin(theta)) * std::exp(-stretch);
    const double across = (dy * std::cos(theta) - dx * std::sin(theta)) * std::exp(stretch);
    const double radius = host.point ? 0.0 : std::exp(host.logRadius);
    t.hostRadius = radius / m_psf.fwhmPixels;
    t.reach = std::hypot(along, across) / std::max(radius, 0.01);
    t.separation = separation / m_psf.fwhmPixels;
    const double blue = light(other, 0, middle) * light(host, middle, bands);
    const double red = light(other, middle, bands) * light(host, 0, middle);
    t.bluer = blue > 0.0 && red > 0.0 ? std::log(blue / red) : blue > 0.0 ? 1.5 : red > 0.0 ? -1.5 : 0.0;
    JointSource mirror;
    mirror.x = mirror.startX = host.x - dx;
    mirror.y = mirror.startY = host.y - dy;
    mirror.logRadius = other.logRadius;
    if (inside(mirror.x, mirror.y)) {
        m_fit.prepareScore();
        t.mirrored = m_fit.score(mirror, mirror.flux);
    }
    c.significance = t.gain * t.probability();
    return c;
}

bool SourceSearch::onResolved(int added) const {
    const std::vector<JointSource>& sources = m_fit.sources();
    const JointSource& s = sources[std::size_t(added)];
    return std::any_of(sources.begin(), sources.begin() + added, [&](const JointSource& host) {
        const double theta = 0.5 * std::atan2(host.e2, host.e1), stretch = 0.5 * std::hypot(host.e1, host.e2);
        const double dx = s.x - host.x, dy = s.y - host.y;
        const double along = (dx * std::cos(theta) + dy * std::sin(theta)) * std::exp(-stretch);
        const double across = (dy * std::cos(theta) - dx * std::sin(theta)) * std::exp(stretch);
        const double radius = host.point ? 0.0 : std::exp(host.logRadius);
        return radius > kResolvedOfFwhm * m_psf.fwhmPixels && std::hypot(along, across) < kDiskReach * radius;
    });
}

QString SourceSearch::refusal(const SourceCandidate& evidence, int added) const {
    const std::vector<JointSource>& sources = m_fit.sources();
    const JointSource& s = sources[std::size_t(added)];
    double separation = 1e9;
    for (int k = 0; k < added; ++k) {
        separation = std::min(separation, std::hypot(sources[std::size_t(k)].x - s.x, sources[std::size_t(k)].y - s.y));
    }
    if (evidence.gain < m_options.leastGain) {
        return QStringLiteral("the noise may explain it: it gains %1 in chi-square").arg(evidence.gain, 0, 'f', 0);
    }
    if (separation < m_options.leastSeparation) {
        return QStringLiteral("it fell onto another source, %1 pixels away").arg(separation, 0, 'f', 1);
    }
    if (!inside(s.x, s.y)) return QStringLiteral("it left the footprint");
    if (evidence.gain / square(evidence.misfit) < m_options.leastGain) {
        return QStringLiteral("the models miss the light by more than it explains: misfit %1")
            .arg(evidence.misfit, 0, 'f', 2);
    }
    if (evidence.misfit > kMostMisfit && m_traits.hostRadius > kResolvedOfFwhm) {
        return QStringLiteral("a resolved galaxy is of no form that the models know: even the pair misfits by %1")
            .arg(evidence.misfit, 0, 'f', 1);
    }
    // The simulations hold few galaxies this bright: theirs is structure of some per cent of their light.
    const double saturated = evidence.gain / (1.0 + evidence.gain * square(kStructure / evidence.contrast));
    if (added > 0 && evidence.gain > kGreatGain && onResolved(added) && saturated < m_options.leastGain) {
        return QStringLiteral("structure of a bright galaxy may explain it: %1 of the light there")
            .arg(evidence.contrast, 0, 'f', 2);
    }
    if (added > 0 && m_traits.probability() < m_options.leastProbability) {
        return QStringLiteral("structure of the galaxy may explain it: ") + m_traits.words();
    }
    return {};
}

} // namespace blendscope
