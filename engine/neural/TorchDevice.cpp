#include "neural/TorchDevice.h"

#include <algorithm>
#include <new>
#include <string>
#include <thread>

namespace blendscope {

torch::Device torchDevice(const QString& wanted) {
    return torch::Device(resolveDevice(wanted).toStdString());
}

at::Generator seededGenerator(const torch::Device& device, std::uint64_t seed) {
    at::Generator generator = at::globalContext().defaultGenerator(device).clone();
    generator.set_current_seed(seed);
    return generator;
}

bool isOutOfMemory(const std::exception& failure) {
    if (dynamic_cast<const std::bad_alloc*>(&failure) || dynamic_cast<const c10::OutOfMemoryError*>(&failure))
        return true;
    const std::string text = failure.what();
    return text.find("out of memory") != std::string::npos || text.find("can't allocate memory") != std::string::npos;
}

void useTorchThreads(int threads) {
    static const int standard = std::max(1, torch::get_num_threads());
    const int most = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
    const int wanted = threads > 0 ? std::min(threads, most) : standard;
    if (torch::get_num_threads() != wanted) torch::set_num_threads(wanted);
}

QString DeviceBudget::shrink(const std::exception& failure) {
    if (!isOutOfMemory(failure)) throw;
    if (m_size / 2 >= m_least) {
        m_size /= 2;
        return QStringLiteral("memory ran out: the network goes on in pieces of %1").arg(m_size);
    }
    if (!m_device.is_cpu()) {
        m_device = torch::Device(torch::kCPU);
        return QStringLiteral("the GPU's memory ran out: the network goes on on the processor");
    }
    throw;
}

} // namespace blendscope
