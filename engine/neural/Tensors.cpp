#include "neural/Tensors.h"

#include "core/Error.h"

#include <cstring>

namespace blendscope {

Tensors onDevice(const Tensors& tensors, const torch::Device& device) {
    Tensors moved;
    for (const auto& [name, tensor] : tensors) {
        moved.emplace(name, tensor.to(device));
    }
    return moved;
}

torch::Tensor toTensor(const cv::Mat& plane) {
    torch::Dtype type = torch::kFloat32;
    switch (plane.type()) {
    case CV_32F:
        break;
    case CV_32S:
        type = torch::kInt32;
        break;
    case CV_8U:
        type = torch::kUInt8;
        break;
    default:
        throw UsageError(QStringLiteral("a plane of OpenCV type %1 cannot become a tensor").arg(plane.type()));
    }
    torch::Tensor tensor = torch::empty({plane.rows, plane.cols}, torch::TensorOptions(type));
    cv::Mat view(plane.rows, plane.cols, plane.type(), tensor.data_ptr());
    plane.copyTo(view);
    return type == torch::kInt32 ? tensor.to(torch::kInt64) : tensor;
}

cv::Mat toMat(const torch::Tensor& plane) {
    if (plane.dim() != 2) throw UsageError(QStringLiteral("a tensor of %1 axes is no plane").arg(plane.dim()));
    const torch::Tensor tensor = plane.detach().to(torch::kCPU, torch::kFloat32).contiguous();
    cv::Mat mat(static_cast<int>(tensor.size(0)), static_cast<int>(tensor.size(1)), CV_32F);
    if (!mat.empty()) std::memcpy(mat.data, tensor.data_ptr<float>(), mat.total() * sizeof(float));
    return mat;
}

} // namespace blendscope
