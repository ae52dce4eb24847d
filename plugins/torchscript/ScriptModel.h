#pragma once

#include "neural/Preprocessing.h"

#include <QJsonObject>
#include <QString>
#include <mutex>
#include <torch/script.h>
#include <vector>

/// One output tensor of a model and what it means.
struct ScriptOutput {
    enum class Meaning {
        ClassPlanes,        ///< [n, class, y, x] over a scene
        CountProbabilities, ///< [n, count] of a stamp
        ComponentImages,    ///< [n, object, band, y, x] of a stamp, on the input's scale
        InstanceMasks       ///< [n, object, y, x] of a stamp: shares of the light
    };
    enum class Activation { None, Sigmoid, Softmax };
    Meaning meaning = Meaning::ClassPlanes;
    Activation activation = Activation::None;
    QStringList names; ///< of classes

    /// The activation, over the axis of classes, counts or objects.
    [[nodiscard]] torch::Tensor activated(const torch::Tensor& output) const;
};

/// A TorchScript file with its JSON description: "torchscript" of NAME.json, as resources/manual/torchscript.md says.
class ScriptModel {
public:
    /// Reads the description, and the program if its content is trusted (Trust): the bytes that were hashed are those
    /// that are loaded. Throws UsageError (description; not trusted, saying how), ReadError.
    explicit ScriptModel(const QString& description);

    /// The outputs in the description's order. Safe from many threads, one at a time. Throws MethodError where the
    /// program fails or gives other outputs than it is described to.
    [[nodiscard]] std::vector<torch::Tensor> run(const torch::Tensor& input);
    void moveTo(const torch::Device& device);

    [[nodiscard]] bool hasOutput(ScriptOutput::Meaning meaning) const { return outputIndex(meaning) >= 0; }
    [[nodiscard]] int outputIndex(ScriptOutput::Meaning meaning) const; ///< -1 = none
    [[nodiscard]] const std::vector<ScriptOutput>& outputs() const { return m_outputs; }
    [[nodiscard]] const blendscope::Preprocessing& preprocessing() const { return m_preprocessing; }

    [[nodiscard]] int stamp() const { return m_stamp; }   ///< side of a stamp, pixels
    [[nodiscard]] int batch() const { return m_batch; }   ///< stamps at once
    [[nodiscard]] int tile() const { return m_tile; }     ///< side of a tile, pixels
    [[nodiscard]] int stride() const { return m_stride; } ///< of the network over scenes
    [[nodiscard]] int margin() const { return m_margin; } ///< its receptive radius
    /// Components with less light than this many times the noise of a pixel are none.
    [[nodiscard]] double faintest() const { return m_faintest; }

private:
    QString m_name;
    blendscope::Preprocessing m_preprocessing;
    std::vector<ScriptOutput> m_outputs;
    int m_stamp = 0, m_batch = 32, m_tile = 384, m_stride = 1, m_margin = 0;
    double m_faintest = 5.0;
    std::mutex m_mutex;
    torch::jit::Module m_module;
};
