#include "io/FitsPlane.h"

#include "jobs/TaskPool.h"

#include <limits>
#include <list>
#include <mutex>

namespace blendscope {

namespace {

constexpr long long kStripBytes = 4ll << 20;   // a strip of a compressed image: some rows of tiles
constexpr long long kCachedBytes = 32ll << 20; // strips kept per plane
constexpr int kWholeRows = 256;                // rows that one thread reads at a time in readAll

} // namespace

struct FitsPlane::Cache {
    struct Strip {
        int number;
        cv::Mat pixels;
    };
    std::mutex mutex;
    cv::Mat whole;
    std::list<Strip> strips; // last used first
    std::mutex filling;      // one thread reads the whole plane, the others wait for it
};

FitsPlane::FitsPlane(FitsFilePtr file, const FitsHdu& hdu, long long plane, int type, Meaning meaning)
    : m_file(std::move(file)), m_hdu(hdu), m_plane(plane), m_type(type), m_meaning(meaning),
      m_cache(std::make_unique<Cache>()) {
    CV_Assert(type == CV_32F || type == CV_32S);
    if (hdu.size().empty() || plane < 0 || plane >= hdu.planes()) {
        throw ReadError(
            QStringLiteral("%1: HDU %2 has no image plane %3").arg(m_file->path()).arg(hdu.number).arg(plane + 1));
    }
    if (!hdu.complete) {
        throw ReadError(
            QStringLiteral("%1 is truncated: it ends inside the image of HDU %2").arg(m_file->path()).arg(hdu.number));
    }
}

FitsPlane::~FitsPlane() = default;

void FitsPlane::fetch(const Box& box, cv::Mat& pixels) const {
    m_file->readInto(m_hdu, m_plane, box, pixels);
    if (m_meaning == Meaning::Value) return;
    for (int y = 0; y < pixels.rows; ++y) {
        if (m_type == CV_32S) {
            int* p = pixels.ptr<int>(y);
            for (int x = 0; x < pixels.cols; ++x) {
                p[x] = p[x] != 0;
            }
            continue;
        }
        float* p = pixels.ptr<float>(y);
        for (int x = 0; x < pixels.cols; ++x) {
            if (m_meaning == Meaning::Sigma) {
                p[x] *= p[x];
            } else if (m_meaning == Meaning::InverseVariance) {
                p[x] = p[x] > 0.0f ? 1.0f / p[x] : std::numeric_limits<float>::infinity();
            } else {
                p[x] = p[x] != 0.0f;
            }
        }
    }
}

cv::Mat FitsPlane::read(const Box& box) const {
    {
        const std::lock_guard lock(m_cache->mutex);
        if (!m_cache->whole.empty()) {
            if (box.empty() || !(Box::of(size()).intersected(box) == box)) {
                throw ReadError(QStringLiteral("%1: a region outside the image was asked for").arg(m_file->path()));
            }
            return m_cache->whole(box.rect());
        }
    }
    const cv::Size whole = size();
    // Plain images are cut out by the file system as fast as by a cache of ours.
    if (box.empty() || !(Box::of(whole).intersected(box) == box)) {
        throw ReadError(QStringLiteral("%1: a region outside the image was asked for").arg(m_file->path()));
    }
    cv::Mat out(box.height, box.width, m_type);
    if (!m_hdu.compressed) {
        fetch(box, out);
        return out;
    }

    const int tileRows = m_file->stripRows(m_hdu);
    const long long rowBytes = 4ll * whole.width;
    const int stripRows = static_cast<int>(std::max<long long>(1, kStripBytes / (rowBytes * tileRows)) *
                                           static_cast<long long>(tileRows));
    const auto most = static_cast<std::size_t>(std::max<long long>(2, kCachedBytes / (rowBytes * stripRows)));
    for (int number = box.y0 / stripRows; number <= (box.y1() - 1) / stripRows; ++number) {
        const Box strip{0, number * stripRows, whole.width, std::min(stripRows, whole.height - number * stripRows)};
        cv::Mat pixels;
        {
            const std::lock_guard lock(m_cache->mutex);
            for (auto it = m_cache->strips.begin(); it != m_cache->strips.end(); ++it) {
                if (it->number != number) continue;
                m_cache->strips.splice(m_cache->strips.begin(), m_cache->strips, it);
                pixels = m_cache->strips.front().pixels;
                break;
            }
        }
        if (pixels.empty()) {
            pixels.create(strip.height, strip.width, m_type);
            fetch(strip, pixels);
            const std::lock_guard lock(m_cache->mutex);
            m_cache->strips.push_front({number, pixels});
            while (m_cache->strips.size() > most) {
                m_cache->strips.pop_back();
            }
        }
        const Box part = box.intersected(strip);
        pixels(part.shifted(0, -strip.y0).rect()).copyTo(out(part.shifted(-box.x0, -box.y0).rect()));
    }
    return out;
}

cv::Mat FitsPlane::readAll() const {
    const std::lock_guard fill(m_cache->filling);
    {
        const std::lock_guard lock(m_cache->mutex);
        if (!m_cache->whole.empty()) return m_cache->whole;
    }
    const cv::Size whole = size();
    cv::Mat pixels(whole, m_type);
    const int tileRows = m_file->stripRows(m_hdu);
    const int rows = std::max(1, kWholeRows / tileRows) * tileRows;
    TaskPool::shared().parallelFor((whole.height + rows - 1) / rows, [&](int i) {
        const Box strip{0, i * rows, whole.width, std::min(rows, whole.height - i * rows)};
        cv::Mat part = pixels(strip.rect());
        fetch(strip, part);
    });
    const std::lock_guard lock(m_cache->mutex);
    m_cache->whole = pixels;
    m_cache->strips.clear();
    return pixels;
}

bool FitsPlane::resident() const {
    const std::lock_guard lock(m_cache->mutex);
    return !m_cache->whole.empty();
}

} // namespace blendscope
