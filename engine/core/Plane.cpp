#include "core/Plane.h"

#include "core/Error.h"

#include <mutex>

namespace blendscope {

namespace {

void checkInside(const Box& box, cv::Size size) {
    if (box.empty() || box.x0 < 0 || box.y0 < 0 || box.x1() > size.width || box.y1() > size.height) {
        throw ReadError(QStringLiteral("region %1,%2 %3x%4 is outside the %5x%6 image")
                            .arg(box.x0)
                            .arg(box.y0)
                            .arg(box.width)
                            .arg(box.height)
                            .arg(size.width)
                            .arg(size.height));
    }
}

} // namespace

cv::Mat Plane::readSampled(const Box& box, int step) const {
    if (step <= 1) return read(box);
    const int w = (box.width + step - 1) / step, h = (box.height + step - 1) / step;
    cv::Mat out(h, w, type());
    for (int j = 0; j < h; ++j) {
        const cv::Mat row = read({box.x0, box.y0 + j * step, box.width, 1});
        const size_t bytes = row.elemSize();
        for (int i = 0; i < w; ++i) {
            std::copy_n(row.ptr(0) + static_cast<size_t>(i) * step * bytes, bytes, out.ptr(j) + i * bytes);
        }
    }
    return out;
}

cv::Mat MemoryPlane::read(const Box& box) const {
    checkInside(box, m_pixels.size());
    return m_pixels(box.rect());
}

cv::Mat ConstantPlane::read(const Box& box) const {
    checkInside(box, m_size);
    return cv::Mat(box.height, box.width, CV_32F, cv::Scalar(m_value));
}

struct DerivedPlane::State {
    std::mutex mutex;
    std::function<cv::Mat()> make;
    cv::Mat pixels;
};

DerivedPlane::DerivedPlane(cv::Size size, int type, std::function<cv::Mat()> make)
    : m_size(size), m_type(type), m_state(std::make_unique<State>()) {
    m_state->make = std::move(make);
}

DerivedPlane::~DerivedPlane() = default;

cv::Mat DerivedPlane::read(const Box& box) const {
    checkInside(box, m_size);
    const std::lock_guard lock(m_state->mutex);
    if (m_state->pixels.empty()) {
        m_state->pixels = m_state->make();
        CV_Assert(m_state->pixels.size() == m_size && m_state->pixels.type() == m_type);
        m_state->make = nullptr;
    }
    return m_state->pixels(box.rect());
}

bool DerivedPlane::resident() const {
    const std::lock_guard lock(m_state->mutex);
    return !m_state->pixels.empty();
}

} // namespace blendscope
