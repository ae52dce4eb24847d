#include "neural/Device.h"

#include <torch/cuda.h>
#include <torch/version.h>

namespace blendscope {

QStringList neuralDevices() {
    QStringList devices{QStringLiteral("cpu")};
    const std::size_t count = torch::cuda::is_available() ? torch::cuda::device_count() : 0;
    for (std::size_t i = 0; i < count; ++i) {
        devices << QStringLiteral("cuda:%1").arg(i);
    }
    return devices;
}

QString resolveDevice(const QString& wanted) {
    const QStringList devices = neuralDevices();
    const QString name = wanted.trimmed().toLower();
    if (name == QLatin1String("auto")) return devices.size() > 1 ? devices[1] : devices[0];
    QString full = name == QLatin1String("cuda") ? QStringLiteral("cuda:0") : name;
    if (devices.contains(full)) return full;
    throw UsageError(
        QStringLiteral("no device \"%1\" here; there are auto, %2").arg(wanted, devices.join(QStringLiteral(", "))));
}

QString neuralVersion() {
    return QStringLiteral(TORCH_VERSION);
}

} // namespace blendscope
