#pragma once

#include "neural/Preprocessing.h"

#include <QJsonObject>
#include <QString>
#include <torch/torch.h>

namespace blendscope {

/// A trained network on disk: a folder with weights.safetensors and card.json. The card says what the weights are:
/// {"method", "architecture" (whole number, raised by its method when older weights no longer fit), "network": what the
///  network is built from, "preprocessing", "recipe", "data", "seed", "metrics", "limits", "licence", ...}.
class ModelFile {
public:
    /// Opens and checks. Throws UsageError where the folder holds no model; MethodError where it is another method's or
    /// another architecture version's, saying both; ReadError where a file is damaged.
    [[nodiscard]] static ModelFile open(const QString& folder, const QString& method, int architecture);

    [[nodiscard]] const QJsonObject& card() const { return m_card; }
    [[nodiscard]] QJsonObject network() const { return m_card.value(QStringLiteral("network")).toObject(); }
    /// Throws UsageError.
    [[nodiscard]] Preprocessing preprocessing() const;
    [[nodiscard]] const QString& folder() const { return m_folder; }

    /// Puts the weights into a network that was built from network(), in the network's own types and on its device, and
    /// sets it to evaluation. Every parameter and buffer must be there, with its shape, and nothing else. Throws
    /// MethodError that names the first that is not.
    void load(torch::nn::Module& network) const;

    enum class Storage { Float32, Float16 };
    /// Writes both files (each by renaming), the card last. `card` needs what the class comment names first. Throws
    /// WriteError.
    static void save(const QString& folder, const torch::nn::Module& network, const QJsonObject& card,
                     Storage storage = Storage::Float16);

private:
    QString m_folder;
    QJsonObject m_card;
    Tensors m_weights;
};

/// Parameters and buffers of a network by name, sharing its memory.
[[nodiscard]] Tensors weightsOf(const torch::nn::Module& network);
/// Copies values into a network; names and shapes must be the network's own. Throws MethodError; `what` begins the
/// sentence ("model/weights.safetensors").
void setWeights(torch::nn::Module& network, const Tensors& weights, const QString& what);

/// The folder of the model that a run uses: the parameter MODEL where the user set it, otherwise model/ in the method's
/// folder (MethodContext::folder). Throws UsageError where there is none.
[[nodiscard]] QString modelFolder(const QString& wanted, const QString& methodFolder);

} // namespace blendscope
