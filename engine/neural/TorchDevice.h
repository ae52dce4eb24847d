#pragma once

#include "neural/Device.h"

#include <cstdint>
#include <exception>
#include <torch/torch.h>

namespace blendscope {

/// resolveDevice as LibTorch wants it. Throws UsageError.
[[nodiscard]] torch::Device torchDevice(const QString& wanted);

/// A generator of its own for a device: the same seed draws the same numbers whatever else draws.
[[nodiscard]] at::Generator seededGenerator(const torch::Device& device, std::uint64_t seed);

/// Whether a failure means that memory ran out, on any device.
[[nodiscard]] bool isOutOfMemory(const std::exception& failure);

/// Lets LibTorch compute on so many threads, at most one a processor; 0 = as many as OMP_NUM_THREADS says, or all. (The
/// window sets that to one less than there are before LibTorch is loaded.)
void useTorchThreads(int threads);

/// The device and how many samples or pixels it takes at once: shrinks where memory runs out, and says so.
class DeviceBudget {
public:
    /// `size` is halved down to `least` before the CPU is taken in place of a GPU; throws what it was given where
    /// nothing smaller is left.
    DeviceBudget(const torch::Device& device, int size, int least) : m_device(device), m_size(size), m_least(least) {}

    [[nodiscard]] const torch::Device& device() const { return m_device; }
    [[nodiscard]] int size() const { return m_size; }

    /// To be called from a catch block: takes less and returns what was done in words, or throws the failure again if
    /// it was none of memory or nothing is left to give up.
    QString shrink(const std::exception& failure);

private:
    torch::Device m_device;
    int m_size, m_least;
};

} // namespace blendscope
