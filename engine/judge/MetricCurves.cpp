#include "judge/MetricCurves.h"

#include <algorithm>
#include <cmath>

namespace blendscope {

namespace {

constexpr double kLeastBandSnr = 10.0;
constexpr double kFar = 98.0; // arcsec: no neighbour
constexpr size_t kMostBins = 200;
constexpr double kBeyond = 4.0; // magnitudes by which detections may leave the range of the true objects

using Kind = MetricCurve::Kind;
using Value = std::function<double(const SceneScore&, const TruthScore&)>;

double closeFlux(const BandScore& b) {
    if (!visibleIn(b)) return double(kNan);
    return std::abs(b.error()) < kCloseFlux ? 1.0 : 0.0;
}

double fluxError(const SceneScore& s, const TruthScore& t) {
    return visibleIn(referenceOf(s, t)) ? referenceOf(s, t).error() : double(kNan);
}

Value imageValue(double ImageMetrics::*member) {
    return [member](const SceneScore& s, const TruthScore& t) {
        return t.images.empty() || !visibleIn(referenceOf(s, t)) ? double(kNan)
                                                                 : t.images[static_cast<size_t>(s.reference)].*member;
    };
}

/// The outcomes of objects that would be detected alone, and of blends.
void addOutcomes(std::vector<MetricCurve>& all) {
    const double none = kNan;
    for (const Outcome o : aloneOutcomes()) {
        const QString word = outcomeWord(o), title = word.left(1).toUpper() + word.mid(1);
        all.push_back(
            {word, title, QStringLiteral("share"),
             QStringLiteral("Share of the objects that would be detected alone and are %1 in the blend.").arg(word),
             Kind::Mean, none, 0.0, 1.0, true, [o](const SceneScore& s, const TruthScore& t) {
                 if (!s.judged || !t.detectedAlone || t.verdict == Outcome::Outside) return double(kNan);
                 const bool same = t.verdict == o || (o == Outcome::Recognized && t.verdict == Outcome::Single);
                 return same ? 1.0 : 0.0;
             }});
    }
    for (const Outcome o : blendOutcomes()) {
        const QString word = outcomeWord(o);
        all.push_back(
            {QStringLiteral("blends_") + word, QStringLiteral("Blends ") + word, QStringLiteral("share of blends"),
             QStringLiteral("Share of the blends that are %1, each put into a bin by its faintest object.").arg(word),
             Kind::Mean, none, 0.0, 1.0, true, [o](const SceneScore& s, const TruthScore& t) {
                 if (!s.judged || t.blendOutcome == Outcome::Unknown) return double(kNan);
                 return t.blendOutcome == o ? 1.0 : 0.0;
             }});
    }
}

void addShapes(std::vector<MetricCurve>& all) {
    const double none = kNan;
    const auto two = [&](const char* id, const QString& title, const QString& unit, const QString& help,
                         const Value& value) {
        all.push_back({QLatin1String(id) + QStringLiteral("_bias"), title + QStringLiteral(" bias"),
                       QStringLiteral("median of ") + unit, QStringLiteral("Median ") + help, Kind::Median, 0.0, none,
                       none, false, value});
        all.push_back({QLatin1String(id) + QStringLiteral("_scatter"), title + QStringLiteral(" scatter"),
                       QStringLiteral("1.4826 MAD of ") + unit, QStringLiteral("Scatter of the ") + help, Kind::Scatter,
                       none, 0.0, none, false, value});
    };
    two("size", QStringLiteral("Size"), QStringLiteral("ln (size / true)"),
        QStringLiteral("error of the half-light radius before the PSF, galaxies found."),
        [](const SceneScore&, const TruthScore& t) { return t.sizeError; });
    two("e1", QStringLiteral("Ellipticity e1"), QStringLiteral("e1 - true"),
        QStringLiteral("error of the ellipticity's first component as seen."),
        [](const SceneScore&, const TruthScore& t) { return t.e1Error; });
    two("e2", QStringLiteral("Ellipticity e2"), QStringLiteral("e2 - true"),
        QStringLiteral("error of the ellipticity's second component as seen."),
        [](const SceneScore&, const TruthScore& t) { return t.e2Error; });
}

/// `kinds`: classes of objects, where there are several.
void addImages(std::vector<MetricCurve>& all, const QStringList& kinds) {
    const double none = kNan;
    const QString median = QStringLiteral("median");
    all.push_back(
        {QStringLiteral("mask_iou"), QStringLiteral("Mask IoU"), median,
         QStringLiteral("Intersection over union of the object's mask with the pixels where it is brightest."),
         Kind::Median, none, 0.0, 1.0, false, [](const SceneScore&, const TruthScore& t) { return t.maskIou; }});
    for (const QString& kind : kinds) {
        all.push_back(
            {QStringLiteral("mask_iou_") + kind, QStringLiteral("Mask IoU, ") + kind, median,
             QStringLiteral("The same of one class alone: %1.").arg(kind), Kind::Median, none, 0.0, 1.0, false,
             [kind](const SceneScore&, const TruthScore& t) { return t.kind == kind ? t.maskIou : double(kNan); }});
    }
    all.push_back({QStringLiteral("image_correlation"), QStringLiteral("Image correlation"), median,
                   QStringLiteral("Correlation of the component with the noiseless image of the object alone."),
                   Kind::Median, none, none, 1.0, false, imageValue(&ImageMetrics::correlation)});
    all.push_back({QStringLiteral("image_psnr"), QStringLiteral("Image PSNR"), QStringLiteral("median, dB"),
                   QStringLiteral("Peak signal-to-noise ratio of the component, range of the true image."),
                   Kind::Median, none, none, none, false, imageValue(&ImageMetrics::psnr)});
    all.push_back({QStringLiteral("image_ssim41"), QStringLiteral("Image SSIM, 41 pixels"), median,
                   QStringLiteral("Structural similarity of the component in 41 x 41 pixels on the object."),
                   Kind::Median, none, none, 1.0, false, imageValue(&ImageMetrics::ssimNear)});
    all.push_back({QStringLiteral("image_msr"), QStringLiteral("Image mean squared residual"),
                   QStringLiteral("median, sky variances"),
                   QStringLiteral("Mean squared residual of the component against the object alone."), Kind::Median,
                   none, 0.0, none, false, imageValue(&ImageMetrics::msr)});
    all.push_back(
        {QStringLiteral("chi2"), QStringLiteral("Residual chi-square"), QStringLiteral("median, per pixel"),
         QStringLiteral("Chi-square of what the models leave in the footprint in which the object was found."),
         Kind::Median, 1.0, 0.0, none, false, [](const SceneScore&, const TruthScore& t) { return t.chi2; }});
}

} // namespace

const std::vector<Outcome>& blendOutcomes() {
    static const std::vector<Outcome> list = {Outcome::Recognized, Outcome::Unrecognized, Outcome::Shredded,
                                              Outcome::Merged,     Outcome::Undetected,   Outcome::Lost,
                                              Outcome::Boosted};
    return list;
}

const std::vector<Outcome>& aloneOutcomes() {
    static const std::vector<Outcome> list = {Outcome::Recognized, Outcome::Unrecognized, Outcome::Shredded,
                                              Outcome::Lost};
    return list;
}

const BandScore& referenceOf(const SceneScore& scene, const TruthScore& t) {
    return t.bands[static_cast<size_t>(scene.reference)];
}

bool visibleIn(const BandScore& band) {
    return band.trueSnr >= kLeastBandSnr && band.trueFlux > 0.0;
}

ColourBands colourBandsOf(const SceneScore& scene) {
    if (scene.bands.size() < 2) return {};
    const auto index = [&](const char* name) {
        for (int i = 0; i < scene.bands.size(); ++i) {
            if (scene.bands[i].compare(QLatin1String(name), Qt::CaseInsensitive) == 0) return i;
        }
        return -1;
    };
    ColourBands out;
    out.blue = std::max(0, index("g"));
    out.red = index("i") >= 0 ? index("i") : scene.reference;
    if (out.blue == out.red) out.red = static_cast<int>(scene.bands.size()) - 1;
    if (out.blue == out.red) return {};
    out.name = scene.bands[out.blue] + QLatin1Char('-') + scene.bands[out.red];
    return out;
}

double colourErrorOf(const TruthScore& t, const ColourBands& bands) {
    if (bands.name.isEmpty()) return double(kNan);
    const BandScore &a = t.bands[static_cast<size_t>(bands.blue)], &b = t.bands[static_cast<size_t>(bands.red)];
    if (!visibleIn(a) || !visibleIn(b) || !(a.error() > -1.0) || !(b.error() > -1.0)) return double(kNan);
    return -2.5 * std::log10((1.0 + a.error()) / (1.0 + b.error()));
}

std::vector<double> binEdges(double low, double high, double width) {
    const double first = std::floor(low / width) * width;
    std::vector<double> edges = {first};
    while (edges.back() <= high && edges.size() < kMostBins) {
        edges.push_back(first + static_cast<double>(edges.size()) * width);
    }
    return edges;
}

std::vector<MetricAxis> metricAxes(const std::vector<SceneScore>& scenes, double magnitudeBin) {
    double bright = 1e9, faint = -1e9, sharp = 1e9, blurred = 0.0, shallow = 1e9, deep = -1e9;
    for (const SceneScore& s : scenes) {
        for (const TruthScore& t : s.truths) {
            if (!(t.eligible || t.detectedAlone) || !std::isfinite(t.magnitude)) continue;
            bright = std::min(bright, t.magnitude);
            faint = std::max(faint, t.magnitude);
        }
        if (s.truths.empty()) continue;
        sharp = std::min(sharp, s.fwhmArcsec);
        blurred = std::max(blurred, s.fwhmArcsec);
        if (std::isfinite(s.depth)) {
            shallow = std::min(shallow, s.depth);
            deep = std::max(deep, s.depth);
        }
    }
    const double low = bright - kBeyond, high = faint + kBeyond;
    for (const SceneScore& s : scenes) {
        for (const DetectionScore& d : s.detections) {
            if (!(d.magnitude >= low && d.magnitude <= high)) continue;
            bright = std::min(bright, d.magnitude);
            faint = std::max(faint, d.magnitude);
        }
    }
    std::vector<MetricAxis> axes;
    if (faint >= bright) {
        axes.push_back({QStringLiteral("magnitude"), QStringLiteral("true magnitude (reference band)"), false,
                        binEdges(bright, faint, magnitudeBin > 0.0 ? magnitudeBin : 1.0),
                        [](const SceneScore&, const TruthScore& t) { return t.magnitude; },
                        [](const SceneScore&, const DetectionScore& d) { return d.magnitude; },
                        QStringLiteral("measured magnitude (reference band)")});
    }
    axes.push_back({QStringLiteral("size"),
                    QStringLiteral("true half-light radius, arcsec"),
                    false,
                    {0.0, 0.15, 0.25, 0.35, 0.5, 0.7, 1.0, 1.5, 3.0, 10.0},
                    [](const SceneScore&, const TruthScore& t) { return t.hlrArcsec; },
                    {},
                    {}});
    axes.push_back({QStringLiteral("snr"),
                    QStringLiteral("S/N of the object alone"),
                    true,
                    {2.0, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 640.0, 1280.0, 1e5},
                    [](const SceneScore&, const TruthScore& t) { return t.snr; },
                    [](const SceneScore&, const DetectionScore& d) { return d.snr; },
                    QStringLiteral("S/N of the detection")});
    axes.push_back({QStringLiteral("neighbour"),
                    QStringLiteral("distance to the nearest neighbour that counts, PSF FWHM"),
                    false,
                    {0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 6.0, 10.0},
                    [](const SceneScore& s, const TruthScore& t) {
                        return t.neighbourArcsec < kFar ? t.neighbourArcsec / s.fwhmArcsec : double(kNan);
                    },
                    {},
                    {}});
    axes.push_back({QStringLiteral("difference"),
                    QStringLiteral("magnitude of that neighbour - own"),
                    false,
                    {-6.0, -4.0, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0, 6.0},
                    [](const SceneScore&, const TruthScore& t) { return t.neighbourMagnitudes; },
                    {},
                    {}});
    axes.push_back({QStringLiteral("blendedness"),
                    QStringLiteral("blendedness"),
                    false,
                    {0.0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 1.001},
                    [](const SceneScore&, const TruthScore& t) { return t.blendedness; },
                    {},
                    {}});
    const auto equal = [](double from, double to) {
        std::vector<double> edges;
        for (int k = 0; k <= 5; ++k) {
            edges.push_back(from + (to - from) * k / 5.0 + (k == 5 ? 1e-6 : 0.0));
        }
        return edges;
    };
    if (blurred > 1.02 * sharp) {
        const QString label = QStringLiteral("PSF FWHM, arcsec");
        axes.push_back({QStringLiteral("seeing"), label, false, equal(sharp, blurred),
                        [](const SceneScore& s, const TruthScore&) { return s.fwhmArcsec; },
                        [](const SceneScore& s, const DetectionScore&) { return s.fwhmArcsec; }, label});
    }
    if (deep > shallow + 0.05) {
        const QString label = QStringLiteral("depth, 5 sigma point source, mag");
        axes.push_back({QStringLiteral("depth"), label, false, equal(shallow, deep),
                        [](const SceneScore& s, const TruthScore&) { return s.depth; },
                        [](const SceneScore& s, const DetectionScore&) { return s.depth; }, label});
    }
    return axes;
}

std::vector<MetricCurve> metricCurves(const std::vector<SceneScore>& scenes) {
    const double none = kNan;
    std::vector<MetricCurve> all = {
        {QStringLiteral("completeness"), QStringLiteral("Completeness"), QStringLiteral("share found"),
         QStringLiteral("Share of the true objects with a detection of their own."), Kind::Mean, none, 0.0, 1.0, false,
         [](const SceneScore&, const TruthScore& t) { return t.objectId > 0 ? 1.0 : 0.0; }},
        {QStringLiteral("found"), QStringLiteral("Found, alone on their detection"), QStringLiteral("share"),
         QStringLiteral("Share whose match outcome is \"found\": neither shared, shredded nor missed."), Kind::Mean,
         none, 0.0, 1.0, false,
         [](const SceneScore&, const TruthScore& t) { return t.outcome == MatchOutcome::Found ? 1.0 : 0.0; }}};
    addOutcomes(all);
    all.push_back({QStringLiteral("within20"), QStringLiteral("Flux within 20 %"), QStringLiteral("share"),
                   QStringLiteral("Share of all true objects whose flux in the reference band is within 20 %; one not "
                                  "found counts as not."),
                   Kind::Mean, none, 0.0, 1.0, false,
                   [](const SceneScore& s, const TruthScore& t) { return closeFlux(referenceOf(s, t)); }});
    all.push_back({QStringLiteral("flux_bias"), QStringLiteral("Flux bias"),
                   QStringLiteral("median of measured / true - 1"),
                   QStringLiteral("Median relative flux error of those found, reference band."), Kind::Median, 0.0,
                   none, none, false, fluxError});
    all.push_back({QStringLiteral("flux_scatter"), QStringLiteral("Flux scatter"), QStringLiteral("1.4826 MAD"),
                   QStringLiteral("Scatter of the relative flux error of those found, reference band."), Kind::Scatter,
                   none, 0.0, none, false, fluxError});
    // Scenes with other bands have another colour.
    QString name;
    for (const SceneScore& s : scenes) {
        if (name.isEmpty()) name = colourBandsOf(s).name;
    }
    const auto colour = [name](const SceneScore& s, const TruthScore& t) {
        const ColourBands bands = colourBandsOf(s);
        return bands.name == name ? colourErrorOf(t, bands) : double(kNan);
    };
    if (!name.isEmpty()) {
        all.push_back({QStringLiteral("colour_bias"), QStringLiteral("Colour bias, ") + name,
                       QStringLiteral("median, mag"), QStringLiteral("Median error of %1 of those found.").arg(name),
                       Kind::Median, 0.0, none, none, false, colour});
        all.push_back({QStringLiteral("colour_scatter"), QStringLiteral("Colour scatter, ") + name,
                       QStringLiteral("1.4826 MAD, mag"),
                       QStringLiteral("Scatter of the error of %1 of those found.").arg(name), Kind::Scatter, none, 0.0,
                       none, false, colour});
    }
    all.push_back({QStringLiteral("pull_scatter"), QStringLiteral("Are the errors honest?"),
                   QStringLiteral("scatter of error / stated error"),
                   QStringLiteral("Scatter of (measured - true) / stated error: 1 = honest, above = too confident."),
                   Kind::Scatter, 1.0, 0.0, none, false, [](const SceneScore& s, const TruthScore& t) {
                       const BandScore& b = referenceOf(s, t);
                       return visibleIn(b) && b.fluxErr > 0.0 ? (b.flux - b.trueFlux) / b.fluxErr : double(kNan);
                   }});
    all.push_back({QStringLiteral("pit_distance"), QStringLiteral("Flux errors: distance from uniform"),
                   QStringLiteral("largest distance"),
                   QStringLiteral("Largest distance of the probability integral transform of the fluxes from a uniform "
                                  "one: 0 = honest, unbiased errors."),
                   Kind::Uniform, 0.0, 0.0, 1.0, false, [](const SceneScore& s, const TruthScore& t) {
                       const BandScore& b = referenceOf(s, t);
                       return visibleIn(b) ? gaussianPit(b.flux, b.fluxErr, b.trueFlux) : double(kNan);
                   }});
    addShapes(all);
    QStringList kinds;
    for (const SceneScore& s : scenes) {
        for (const TruthScore& t : s.truths) {
            if (t.eligible && !t.kind.isEmpty() && !kinds.contains(t.kind)) kinds << t.kind;
        }
    }
    kinds.sort();
    addImages(all, kinds.size() > 1 ? kinds : QStringList());
    all.push_back(
        {QStringLiteral("seconds_per_object"), QStringLiteral("Seconds per object"), QStringLiteral("mean, s"),
         QStringLiteral("What an object costs in scenes like its own: their time over their detections."), Kind::Mean,
         none, 0.0, none, false,
         [](const SceneScore& s, const TruthScore&) { return s.objects > 0 ? s.seconds / s.objects : double(kNan); }});
    return all;
}

} // namespace blendscope
