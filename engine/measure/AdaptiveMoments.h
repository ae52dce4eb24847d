#pragma once

#include <opencv2/core.hpp>

namespace blendscope {

/// Centre and second moments of one object, pixel.
struct Moments {
    double x = 0.0, y = 0.0; ///< in pixels of the measured matrix
    double xx = 0.0, xy = 0.0, yy = 0.0;
    bool valid = false;

    [[nodiscard]] double a() const;     ///< rms along the major axis
    [[nodiscard]] double b() const;     ///< rms along the minor axis
    [[nodiscard]] double theta() const; ///< deg from +x towards +y, -90 < theta <= 90
    [[nodiscard]] double determinant() const { return xx * yy - xy * xy; }
};

/// Adaptive moments (Bernstein & Jarvis 2002, AJ 123, 583, section 3; Hirata & Seljak 2003, MNRAS 343, 459): the
/// centre and covariance of the elliptical Gaussian that, used as the weight, reproduces itself. For a Gaussian object
/// they are its rms axes; for other profiles they weigh the bright part, so that noise and neighbours in the wings
/// matter little. `image`: CV_32F, sky-subtracted, all pixels finite. Starts at (x, y) with a round Gaussian of
/// sigma; the centre may move by at most maxShift pixels. Not valid where the iteration leaves the image, shrinks
/// below a third of a pixel, or does not settle.
[[nodiscard]] Moments adaptiveMoments(const cv::Mat& image, double x, double y, double sigma, double maxShift);

/// Moments weighted with the positive pixels themselves, about their own centroid; floored at a pixel's own
/// size (1/12). Not valid where no pixel is positive.
[[nodiscard]] Moments positiveMoments(const cv::Mat& image);

} // namespace blendscope
