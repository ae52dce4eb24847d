#pragma once

#include "core/Box.h"

#include <functional>
#include <memory>
#include <opencv2/core.hpp>

namespace blendscope {

/// One two-dimensional array of a scene, [y, x], read by region. Implementations are safe to read from many threads.
/// Images and variances are CV_32F, masks CV_32S.
class Plane {
public:
    virtual ~Plane() = default;

    [[nodiscard]] virtual cv::Size size() const = 0;

    /// CV_32F or CV_32S.
    [[nodiscard]] virtual int type() const = 0;

    /// The pixels of `box`, which must lie inside the plane. The matrix may share memory with the plane: callers
    /// must not write to it. Throws ReadError.
    [[nodiscard]] virtual cv::Mat read(const Box& box) const = 0;

    /// Every `step`-th pixel of `box` in x and y (step >= 1), for overviews; the default reads in strips.
    [[nodiscard]] virtual cv::Mat readSampled(const Box& box, int step) const;

    /// The whole plane; implementations keep it, so that later reads are views without a copy.
    [[nodiscard]] virtual cv::Mat readAll() const { return read(Box::of(size())); }

    /// True once the whole plane is in memory, so that read() costs nothing.
    [[nodiscard]] virtual bool resident() const { return false; }
};

using PlanePtr = std::shared_ptr<const Plane>;

/// A plane in memory: shares the matrix that it is given.
class MemoryPlane final : public Plane {
public:
    explicit MemoryPlane(cv::Mat pixels) : m_pixels(std::move(pixels)) {}
    [[nodiscard]] cv::Size size() const override { return m_pixels.size(); }
    [[nodiscard]] int type() const override { return m_pixels.type(); }
    [[nodiscard]] cv::Mat read(const Box& box) const override;
    [[nodiscard]] bool resident() const override { return true; }

private:
    cv::Mat m_pixels;
};

/// One value everywhere (a constant sky variance): no memory.
class ConstantPlane final : public Plane {
public:
    ConstantPlane(cv::Size size, float value) : m_size(size), m_value(value) {}
    [[nodiscard]] cv::Size size() const override { return m_size; }
    [[nodiscard]] int type() const override { return CV_32F; }
    [[nodiscard]] cv::Mat read(const Box& box) const override;

private:
    cv::Size m_size;
    float m_value;
};

/// A plane that is made by a function on first use and then kept (an estimated variance, a resampled image).
class DerivedPlane final : public Plane {
public:
    DerivedPlane(cv::Size size, int type, std::function<cv::Mat()> make);
    ~DerivedPlane() override;
    [[nodiscard]] cv::Size size() const override { return m_size; }
    [[nodiscard]] int type() const override { return m_type; }
    [[nodiscard]] cv::Mat read(const Box& box) const override;
    [[nodiscard]] bool resident() const override;

private:
    struct State;
    cv::Size m_size;
    int m_type;
    std::unique_ptr<State> m_state;
};

} // namespace blendscope
