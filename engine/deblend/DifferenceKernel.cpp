#include "deblend/DifferenceKernel.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

namespace blendscope {

namespace {

constexpr int kMostTerms = 24;
constexpr double kMostAmplification = 1.2; // sum of |K| in that of K: above it, noise of `to` is being deconvolved
constexpr double kMostDamping = 1e-2;

// A centred image in the corner-origin order of the Fourier transform.
cv::Mat wrapped(const cv::Mat& image, int size) {
    cv::Mat out(size, size, CV_32F, cv::Scalar(0));
    const int cx = (image.cols - 1) / 2, cy = (image.rows - 1) / 2;
    for (int y = 0; y < image.rows; ++y) {
        for (int x = 0; x < image.cols; ++x) {
            const float v = image.at<float>(y, x);
            if (!std::isfinite(v)) continue;
            out.at<float>((y - cy + size) % size, (x - cx + size) % size) = v;
        }
    }
    return out;
}

double finiteSum(const cv::Mat& image) {
    double s = 0.0;
    for (int y = 0; y < image.rows; ++y) {
        for (int x = 0; x < image.cols; ++x) {
            if (std::isfinite(image.at<float>(y, x))) s += image.at<float>(y, x);
        }
    }
    return s;
}

} // namespace

DifferenceKernel::DifferenceKernel(const cv::Mat& from, const cv::Mat& to, double damping, double accuracy) {
    const double sumFrom = from.empty() ? 0.0 : finiteSum(from), sumTo = to.empty() ? 0.0 : finiteSum(to);
    if (!(sumFrom > 0.0) || !(sumTo > 0.0)) {
        m_image = cv::Mat(1, 1, CV_32F, cv::Scalar(1));
        m_rows = m_columns = m_flippedRows = m_flippedColumns = {m_image};
        return;
    }
    const int widest = std::max({from.cols, from.rows, to.cols, to.rows});
    const int size = cv::getOptimalDFTSize(2 * widest);
    cv::Mat a, b;
    cv::dft(wrapped(from, size), a, cv::DFT_COMPLEX_OUTPUT);
    cv::dft(wrapped(to, size), b, cv::DFT_COMPLEX_OUTPUT);
    double top = 0.0;
    for (int y = 0; y < size; ++y) {
        for (int x = 0; x < size; ++x)
            top = std::max(top, cv::norm(a.at<cv::Vec2f>(y, x), cv::NORM_L2SQR));
    }
    // A `to` that was measured has noise where `from` has no power left: division would blow it up into ripples.
    cv::Mat k;
    for (;; damping *= 10.0) {
        cv::Mat ratio(size, size, CV_32FC2);
        for (int y = 0; y < size; ++y) {
            for (int x = 0; x < size; ++x) {
                const cv::Vec2f p = a.at<cv::Vec2f>(y, x), q = b.at<cv::Vec2f>(y, x);
                const double power = double(p[0]) * p[0] + double(p[1]) * p[1] + damping * top;
                ratio.at<cv::Vec2f>(y, x) = {float((double(q[0]) * p[0] + double(q[1]) * p[1]) / power),
                                             float((double(q[1]) * p[0] - double(q[0]) * p[1]) / power)};
            }
        }
        cv::dft(ratio, k, cv::DFT_INVERSE | cv::DFT_SCALE | cv::DFT_REAL_OUTPUT);
        if (!(damping > 0.0) || 10.0 * damping > kMostDamping) break;
        if (cv::norm(k, cv::NORM_L1) <= kMostAmplification * sumTo / sumFrom) break;
        m_damped = true;
    }

    // Cut where the rings around the centre hold nothing any more.
    const int most = (widest - 1) / 2;
    const auto value = [&](int dx, int dy) { return k.at<float>((dy + size) % size, (dx + size) % size); };
    double energy = 0.0;
    std::vector<double> ringEnergy(std::size_t(most) + 1, 0.0);
    for (int dy = -most; dy <= most; ++dy) {
        for (int dx = -most; dx <= most; ++dx) {
            const double e = std::abs(value(dx, dy));
            ringEnergy[std::size_t(std::max(std::abs(dx), std::abs(dy)))] += e;
            energy += e;
        }
    }
    int r = most;
    for (double outside = 0.0; r > 1; --r) {
        outside += ringEnergy[std::size_t(r)];
        if (outside > 2e-3 * energy) break;
    }
    m_image = cv::Mat(2 * r + 1, 2 * r + 1, CV_32F);
    for (int dy = -r; dy <= r; ++dy) {
        for (int dx = -r; dx <= r; ++dx)
            m_image.at<float>(dy + r, dx + r) = value(dx, dy);
    }
    const double total = cv::sum(m_image)[0];
    if (std::abs(total) > 1e-6) m_image *= (sumTo / sumFrom) / total;

    // Leading singular terms by power iteration, each taken off before the next is sought.
    const double whole = cv::norm(m_image);
    cv::Mat rest = m_image.clone();
    for (int term = 0; term < kMostTerms; ++term) {
        int best = 0;
        for (int y = 1; y < rest.rows; ++y) {
            if (cv::norm(rest.row(y)) > cv::norm(rest.row(best))) best = y;
        }
        cv::Mat row = rest.row(best).clone(), column;
        for (int i = 0; i < 30; ++i) {
            const double length = cv::norm(row);
            if (!(length > 0.0)) break;
            row /= length;
            column = rest * row.t();
            row = column.t() * rest;
            const double length2 = cv::norm(column);
            if (length2 > 0.0) row /= length2;
        }
        const double w = cv::norm(row);
        if (!(w > 0.0)) break;
        row /= w;
        column = rest * row.t();
        rest -= column * row;
        m_columns.push_back(column.clone());
        m_rows.push_back(row.clone());
        cv::Mat flipped;
        cv::flip(column, flipped, 0);
        m_flippedColumns.push_back(flipped.clone());
        cv::flip(row, flipped, 1);
        m_flippedRows.push_back(flipped.clone());
        if (cv::norm(rest) <= accuracy * whole) break;
    }
}

void DifferenceKernel::filter(const std::vector<cv::Mat>& rows, const std::vector<cv::Mat>& columns, const cv::Mat& in,
                              cv::Mat& out) const {
    if (rows.empty()) {
        in.copyTo(out);
        return;
    }
    cv::Mat part;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        cv::sepFilter2D(in, i == 0 ? out : part, CV_32F, rows[i], columns[i], cv::Point(-1, -1), 0.0,
                        cv::BORDER_CONSTANT | cv::BORDER_ISOLATED);
        if (i > 0) out += part;
    }
}

void DifferenceKernel::convolve(const cv::Mat& in, cv::Mat& out) const {
    filter(m_flippedRows, m_flippedColumns, in, out);
}

void DifferenceKernel::correlate(const cv::Mat& in, cv::Mat& out) const {
    filter(m_rows, m_columns, in, out);
}

} // namespace blendscope
