#include "image/Background.h"

#include "core/Scene.h"
#include "jobs/Progress.h"
#include "jobs/TaskPool.h"

#include <cmath>
#include <limits>
#include <mutex>
#include <numbers>
#include <numeric>

namespace blendscope {

namespace {

constexpr float kInvalid = std::numeric_limits<float>::quiet_NaN();
constexpr int kSampleSize = 1024;      // pixels that set the scale of a mesh's histogram
constexpr double kHistogramSigmas = 7; // half width of the histogram in units of that scale
constexpr int kMaxClips = 30;

struct MeshValue {
    float level = kInvalid;
    float rms = kInvalid;
};

double percentile(std::vector<float>& v, double share) {
    const auto k = static_cast<std::ptrdiff_t>(share * static_cast<double>(v.size() - 1));
    std::nth_element(v.begin(), v.begin() + k, v.end());
    return v[k];
}

/// Statistics of one mesh; `v` holds its usable pixels.
MeshValue meshValue(const std::vector<float>& v, const BackgroundOptions& o, std::vector<int>& histogram) {
    // A sparse sample sets the scale: its lower quartile is hardly moved by sources.
    std::vector<float> sample;
    const std::size_t step = std::max<std::size_t>(1, v.size() / kSampleSize);
    for (std::size_t i = 0; i < v.size(); i += step) {
        sample.push_back(v[i]);
    }
    const double middle = percentile(sample, 0.5);
    double scale = (middle - percentile(sample, 0.25)) / 0.6745;
    if (!(scale > 0.0)) {
        double s = 0.0, ss = 0.0;
        for (const float x : v) {
            s += x - middle;
            ss += (x - middle) * (x - middle);
        }
        const double n = static_cast<double>(v.size());
        scale = std::sqrt(std::max(0.0, ss / n - (s / n) * (s / n)));
        if (!(scale > 0.0)) return {static_cast<float>(middle), 0.0f};
    }

    const double low = middle - kHistogramSigmas * scale;
    const int bins = static_cast<int>(std::clamp<std::size_t>(v.size() / 2, 256, 2048));
    const double width = 2.0 * kHistogramSigmas * scale / bins;
    histogram.assign(bins, 0);
    const auto offset = static_cast<float>(low), inverse = static_cast<float>(1.0 / width);
    for (const float x : v) {
        const float t = (x - offset) * inverse;
        if (t >= 0.0f && t < static_cast<float>(bins)) ++histogram[static_cast<int>(t)];
    }

    // Clip around the median until nothing changes. Values are bin centres in units of bins.
    int first = 0, last = bins;
    double median = 0.0, mean = 0.0, sigma = 0.0;
    for (int clip = 0; clip < kMaxClips; ++clip) {
        double n = 0.0, s = 0.0, ss = 0.0;
        for (int i = first; i < last; ++i) {
            const double c = histogram[i], x = i + 0.5;
            n += c;
            s += c * x;
            ss += c * x * x;
        }
        if (!(n > 0.0)) return {static_cast<float>(middle), static_cast<float>(scale)};
        mean = s / n;
        sigma = std::sqrt(std::max(0.0, ss / n - mean * mean));
        double below = 0.0;
        for (int i = first; i < last; ++i) {
            if (below + histogram[i] >= 0.5 * n) {
                median = i + (0.5 * n - below) / std::max(1, histogram[i]);
                break;
            }
            below += histogram[i];
        }
        const int a = std::max(0, static_cast<int>(std::floor(median - o.clipSigma * sigma)));
        const int b = std::min(bins, static_cast<int>(std::ceil(median + o.clipSigma * sigma)));
        if (a <= first && b >= last) break;
        first = std::max(first, a);
        last = std::min(last, b);
        if (last <= first) break;
    }
    const bool crowded = std::abs(mean - median) > o.crowdedSkew * sigma;
    const double mode = crowded ? median : 2.5 * median - 1.5 * mean;

    // Noise of the lower side, which sources do not widen.
    double n = 0.0, ss = 0.0;
    for (int i = first; i < last && i + 0.5 < mode; ++i) {
        n += histogram[i];
        ss += histogram[i] * (mode - i - 0.5) * (mode - i - 0.5);
    }
    const double lower = n > 20.0 ? std::sqrt(ss / n) : sigma;
    if (lower < 0.9 * sigma) sigma = lower;
    // A Gaussian cut at c sigma keeps 1 - 2 c phi(c) / erf(c / sqrt 2) of its variance.
    const double c = o.clipSigma;
    const double kept =
        1.0 - 2.0 * c * std::exp(-0.5 * c * c) / std::sqrt(2.0 * std::numbers::pi) / std::erf(c / std::numbers::sqrt2);
    sigma /= std::sqrt(std::max(0.1, kept));
    return {static_cast<float>(low + mode * width), static_cast<float>(sigma * width)};
}

float medianOf(std::vector<float> v) {
    if (v.empty()) return 0.0f;
    const auto k = static_cast<std::ptrdiff_t>(v.size() / 2);
    std::nth_element(v.begin(), v.begin() + k, v.end());
    const float upper = v[k];
    if (v.size() % 2) return upper;
    return 0.5f * (upper + *std::max_element(v.begin(), v.begin() + k));
}

std::vector<float> finiteValues(const cv::Mat& mesh) {
    std::vector<float> v;
    for (int y = 0; y < mesh.rows; ++y) {
        for (int x = 0; x < mesh.cols; ++x) {
            if (std::isfinite(mesh.at<float>(y, x))) v.push_back(mesh.at<float>(y, x));
        }
    }
    return v;
}

/// Meshes without a value take the mean of the nearest ones that have one; all 0 where none has.
void fillInvalid(cv::Mat& mesh) {
    const cv::Mat from = mesh.clone();
    for (int y = 0; y < mesh.rows; ++y) {
        for (int x = 0; x < mesh.cols; ++x) {
            if (std::isfinite(from.at<float>(y, x))) continue;
            double sum = 0.0;
            long long n = 0, best = std::numeric_limits<long long>::max();
            for (int j = 0; j < mesh.rows; ++j) {
                for (int i = 0; i < mesh.cols; ++i) {
                    const float v = from.at<float>(j, i);
                    if (!std::isfinite(v)) continue;
                    const long long d =
                        static_cast<long long>(i - x) * (i - x) + static_cast<long long>(j - y) * (j - y);
                    if (d < best) {
                        best = d;
                        sum = 0.0;
                        n = 0;
                    }
                    if (d == best) {
                        sum += v;
                        ++n;
                    }
                }
            }
            mesh.at<float>(y, x) = n > 0 ? static_cast<float>(sum / static_cast<double>(n)) : 0.0f;
        }
    }
}

cv::Mat medianFiltered(const cv::Mat& mesh, int size) {
    const int half = size / 2;
    if (half < 1) return mesh;
    cv::Mat out(mesh.size(), CV_32F);
    std::vector<float> v;
    for (int y = 0; y < mesh.rows; ++y) {
        for (int x = 0; x < mesh.cols; ++x) {
            // The window shrinks symmetrically at borders: a gradient keeps its value there.
            const int hx = std::min({half, x, mesh.cols - 1 - x}), hy = std::min({half, y, mesh.rows - 1 - y});
            v.clear();
            for (int j = y - hy; j <= y + hy; ++j) {
                for (int i = x - hx; i <= x + hx; ++i) {
                    v.push_back(mesh.at<float>(j, i));
                }
            }
            out.at<float>(y, x) = medianOf(v);
        }
    }
    return out;
}

/// Second derivatives at unit-spaced nodes of a natural cubic spline (tridiagonal system).
void splineCurvature(const float* values, int n, float* curvature) {
    std::fill_n(curvature, n, 0.0f);
    if (n < 3) return;
    std::vector<double> c(n, 0.0), d(n, 0.0);
    for (int i = 1; i < n - 1; ++i) {
        const double r = 6.0 * (double(values[i + 1]) - 2.0 * values[i] + values[i - 1]);
        const double m = 4.0 - c[i - 1];
        c[i] = 1.0 / m;
        d[i] = (r - d[i - 1]) / m;
    }
    double next = 0.0;
    for (int i = n - 2; i >= 1; --i) {
        next = d[i] - c[i] * next;
        curvature[i] = static_cast<float>(next);
    }
}

/// Where pixel p of n falls among the centres of `meshes` equal meshes: node and fraction. Beyond the outer centres the
/// fraction leaves 0..1: linear continuation.
struct NodePosition {
    int node;
    float t;
};
NodePosition nodePosition(int p, int n, int meshes) {
    if (meshes < 2) return {0, 0.0f};
    const double u = (p + 0.5) * meshes / n - 0.5;
    const int node = std::clamp(static_cast<int>(std::floor(u)), 0, meshes - 2);
    return {node, static_cast<float>(u - node)};
}

/// Value of the spline at fraction t of an interval; linear outside, where the end's curvature is 0.
float splineValue(float a, float b, float ca, float cb, float t) {
    const float s = 1.0f - t;
    if (t < 0.0f) return a + t * (b - a - cb / 6.0f);
    if (t > 1.0f) return b + (t - 1.0f) * (b - a + ca / 6.0f);
    return s * a + t * b + ((s * s * s - s) * ca + (t * t * t - t) * cb) / 6.0f;
}

cv::Mat bilinear(const cv::Mat& mesh, cv::Size size, const Box& box) {
    cv::Mat out(box.height, box.width, CV_32F);
    const int nx = mesh.cols, ny = mesh.rows;
    std::vector<float> nodes(nx);
    for (int y = 0; y < box.height; ++y) {
        NodePosition q = nodePosition(box.y0 + y, size.height, ny);
        q.t = std::clamp(q.t, 0.0f, 1.0f);
        for (int i = 0; i < nx; ++i) {
            const float a = mesh.at<float>(q.node, i), b = mesh.at<float>(std::min(q.node + 1, ny - 1), i);
            nodes[i] = a + q.t * (b - a);
        }
        auto* row = out.ptr<float>(y);
        for (int x = 0; x < box.width; ++x) {
            const NodePosition p = nodePosition(box.x0 + x, size.width, nx);
            const float a = nodes[p.node], b = nodes[std::min(p.node + 1, nx - 1)];
            row[x] = a + std::clamp(p.t, 0.0f, 1.0f) * (b - a);
        }
    }
    return out;
}

} // namespace

std::shared_ptr<const Background> Background::measure(const Band& band, const BackgroundOptions& options,
                                                      Progress* progress) {
    return measure(*band.image, band.variance.get(), band.mask.get(), band.mask ? band.unusableBits() : 0, options,
                   progress);
}

std::shared_ptr<const Background> Background::measure(const Plane& image, const Plane* variance, const Plane* mask,
                                                      int unusableBits, const BackgroundOptions& options,
                                                      Progress* progress) {
    const cv::Size size = image.size();
    const auto background = std::make_shared<Background>();
    background->m_size = size;
    const int side = std::max(4, options.meshPixels);
    const int nx = std::max(1, (size.width + side / 2) / side), ny = std::max(1, (size.height + side / 2) / side);
    cv::Mat level(ny, nx, CV_32F, cv::Scalar(kInvalid)), rms(ny, nx, CV_32F, cv::Scalar(kInvalid));

    const auto edge = [](int i, int n, int meshes) { return static_cast<int>(static_cast<long long>(i) * n / meshes); };
    const auto meshRow = [&](int j) {
        const int y0 = edge(j, size.height, ny), y1 = edge(j + 1, size.height, ny);
        if (y1 <= y0 || size.width <= 0) return;
        const Box strip{0, y0, size.width, y1 - y0};
        const cv::Mat pixels = image.read(strip);
        const cv::Mat var = variance ? variance->read(strip) : cv::Mat();
        const cv::Mat bits = mask && unusableBits ? mask->read(strip) : cv::Mat();
        std::vector<float> v;
        std::vector<int> histogram;
        for (int i = 0; i < nx; ++i) {
            const int x0 = edge(i, size.width, nx), x1 = edge(i + 1, size.width, nx);
            v.clear();
            for (int y = 0; y < strip.height; ++y) {
                const auto* row = pixels.ptr<float>(y);
                const float* w = var.empty() ? nullptr : var.ptr<float>(y);
                const int* m = bits.empty() ? nullptr : bits.ptr<int>(y);
                for (int x = x0; x < x1; ++x) {
                    if (!std::isfinite(row[x]) || (w && !(w[x] > 0.0f && std::isfinite(w[x])))) continue;
                    if (m && (m[x] & unusableBits)) continue;
                    v.push_back(row[x]);
                }
            }
            const double area = static_cast<double>(x1 - x0) * (y1 - y0);
            if (v.empty() || static_cast<double>(v.size()) < options.usableShare * area) continue;
            const MeshValue value = meshValue(v, options, histogram);
            level.at<float>(j, i) = value.level;
            rms.at<float>(j, i) = value.rms;
        }
        if (progress) progress->check();
    };
    TaskPool::shared().parallelFor(ny, meshRow, options.threads);

    fillInvalid(level);
    fillInvalid(rms);
    background->m_level = medianFiltered(level, options.filterMeshes);
    background->m_rms = medianFiltered(rms, options.filterMeshes);
    background->m_globalLevel = medianOf(finiteValues(background->m_level));
    background->m_globalRms = medianOf(finiteValues(background->m_rms));
    background->m_zero = cv::countNonZero(background->m_level) == 0;

    cv::Mat columns = background->m_level.t(), curvature(columns.size(), CV_32F);
    for (int i = 0; i < columns.rows; ++i) {
        splineCurvature(columns.ptr<float>(i), columns.cols, curvature.ptr<float>(i));
    }
    background->m_levelCurvature = curvature.t();
    return background;
}

cv::Mat Background::level(const Box& box) const {
    cv::Mat out(box.height, box.width, CV_32F);
    if (m_zero) {
        out.setTo(0.0f);
        return out;
    }
    const int nx = m_level.cols, ny = m_level.rows;
    std::vector<float> nodes(nx), curvature(nx);
    for (int y = 0; y < box.height; ++y) {
        const NodePosition q = nodePosition(box.y0 + y, m_size.height, ny);
        const int below = std::min(q.node + 1, ny - 1);
        for (int i = 0; i < nx; ++i) {
            nodes[i] = splineValue(m_level.at<float>(q.node, i), m_level.at<float>(below, i),
                                   m_levelCurvature.at<float>(q.node, i), m_levelCurvature.at<float>(below, i), q.t);
        }
        splineCurvature(nodes.data(), nx, curvature.data());
        auto* row = out.ptr<float>(y);
        for (int x = 0; x < box.width; ++x) {
            const NodePosition p = nodePosition(box.x0 + x, m_size.width, nx);
            const int right = std::min(p.node + 1, nx - 1);
            row[x] = splineValue(nodes[p.node], nodes[right], curvature[p.node], curvature[right], p.t);
        }
    }
    return out;
}

cv::Mat Background::rms(const Box& box) const {
    return bilinear(m_rms, m_size, box);
}

std::shared_ptr<const Background> Background::withoutLevel() const {
    const auto copy = std::make_shared<Background>(*this);
    copy->m_level = cv::Mat::zeros(m_level.size(), CV_32F);
    copy->m_levelCurvature = cv::Mat::zeros(m_level.size(), CV_32F);
    copy->m_globalLevel = 0.0f;
    copy->m_zero = true;
    return copy;
}

bool Background::looksUnsubtracted() const {
    if (m_zero) return false;
    const double noise = m_globalRms;
    if (std::abs(m_globalLevel) > 3.0 * noise) return true;
    if (m_level.cols < 4 || m_level.rows < 4) return false;
    std::vector<float> deviation = finiteValues(m_level);
    for (float& v : deviation) {
        v = std::abs(v - m_globalLevel);
    }
    return std::abs(m_globalLevel) > 0.5 * noise || 1.4826 * medianOf(std::move(deviation)) > 0.5 * noise;
}

namespace {

/// The squared noise of a background that is measured when first needed.
class EstimatedVariance final : public Plane {
public:
    EstimatedVariance(PlanePtr image, PlanePtr mask, int bits, const BackgroundOptions& options)
        : m_image(std::move(image)), m_mask(std::move(mask)), m_bits(bits), m_options(options) {}

    [[nodiscard]] cv::Size size() const override { return m_image->size(); }
    [[nodiscard]] int type() const override { return CV_32F; }

    [[nodiscard]] cv::Mat read(const Box& box) const override {
        std::call_once(m_once, [this] { measure(); });
        cv::Mat out = m_background->rms(box);
        for (int y = 0; y < out.rows; ++y) {
            auto* row = out.ptr<float>(y);
            for (int x = 0; x < out.cols; ++x) {
                row[x] = std::max(row[x] * row[x], m_floor);
            }
        }
        return out;
    }

private:
    void measure() const {
        m_background = Background::measure(*m_image, nullptr, m_mask.get(), m_bits, m_options);
        const float noise = m_background->globalRms();
        m_floor = 1e-6f * noise * noise;
        if (m_floor > 0.0f) return;
        const Box all = Box::of(size());
        const cv::Mat sample =
            all.empty() ? cv::Mat() : m_image->readSampled(all, std::max(1, std::max(all.width, all.height) / 512));
        double n = 0.0, s = 0.0, ss = 0.0;
        for (int y = 0; y < sample.rows; ++y) {
            for (int x = 0; x < sample.cols; ++x) {
                const double v = sample.at<float>(y, x);
                if (!std::isfinite(v)) continue;
                n += 1.0;
                s += v;
                ss += v * v;
            }
        }
        const double spread = n > 0.0 ? ss / n - (s / n) * (s / n) : 0.0;
        m_floor = static_cast<float>(1e-6 * spread);
        if (!(m_floor > 0.0f) || !std::isfinite(m_floor)) m_floor = 1.0f;
    }

    PlanePtr m_image, m_mask;
    int m_bits;
    BackgroundOptions m_options;
    mutable std::once_flag m_once;
    mutable std::shared_ptr<const Background> m_background;
    mutable float m_floor = 1.0f;
};

} // namespace

PlanePtr estimateVariance(PlanePtr image, PlanePtr mask, int unusableBits, const BackgroundOptions& options) {
    return std::make_shared<EstimatedVariance>(std::move(image), std::move(mask), unusableBits, options);
}

} // namespace blendscope
