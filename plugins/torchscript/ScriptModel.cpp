#include "ScriptModel.h"

#include "core/Error.h"
#include "method/Trust.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>
#include <sstream>

using namespace blendscope;

namespace {

template <class Enum>
Enum choice(const QJsonObject& json, const char* key, const std::vector<std::pair<const char*, Enum>>& choices,
            const char* fallback) {
    const QString value = json.value(QLatin1String(key)).toString(QLatin1String(fallback));
    QStringList names;
    for (const auto& [name, meaning] : choices) {
        if (value == QLatin1String(name)) return meaning;
        names << QLatin1String(name);
    }
    throw UsageError(QStringLiteral("torchscript: %1 is \"%2\", and must be one of %3")
                         .arg(QLatin1String(key), value, names.join(QStringLiteral(", "))));
}

int whole(const QJsonObject& json, const char* key, int fallback, int least, int most) {
    const double value = json.value(QLatin1String(key)).toDouble(fallback);
    if (value != static_cast<int>(value) || value < least || value > most)
        throw UsageError(QStringLiteral("torchscript: %1 must be a whole number from %2 to %3")
                             .arg(QLatin1String(key))
                             .arg(least)
                             .arg(most));
    return static_cast<int>(value);
}

/// A tensor, or the tensors of a tuple or list.
void collect(const torch::jit::IValue& value, std::vector<torch::Tensor>& out) {
    if (value.isTensor()) {
        out.push_back(value.toTensor());
    } else if (value.isTuple()) {
        for (const torch::jit::IValue& element : value.toTuple()->elements()) {
            collect(element, out);
        }
    } else if (value.isTensorList()) {
        for (const torch::Tensor& tensor : value.toTensorVector()) {
            out.push_back(tensor);
        }
    }
}

} // namespace

torch::Tensor ScriptOutput::activated(const torch::Tensor& output) const {
    switch (activation) {
    case Activation::Sigmoid:
        return torch::sigmoid(output);
    case Activation::Softmax:
        return torch::softmax(output, 1);
    case Activation::None:
        break;
    }
    return output;
}

ScriptModel::ScriptModel(const QString& description) : m_name(QFileInfo(description).fileName()) {
    QFile file(description);
    if (!file.open(QIODevice::ReadOnly))
        throw ReadError(QStringLiteral("%1 cannot be read: %2").arg(description, file.errorString()));
    const QJsonObject json =
        QJsonDocument::fromJson(file.readAll()).object().value(QStringLiteral("torchscript")).toObject();
    m_preprocessing = Preprocessing::fromJson(json.value(QStringLiteral("preprocessing")).toObject());
    for (const QJsonValue value : json.value(QStringLiteral("outputs")).toArray()) {
        const QJsonObject output = value.toObject();
        ScriptOutput out;
        out.meaning = choice<ScriptOutput::Meaning>(output, "meaning",
                                                    {{"class_planes", ScriptOutput::Meaning::ClassPlanes},
                                                     {"count_probabilities", ScriptOutput::Meaning::CountProbabilities},
                                                     {"component_images", ScriptOutput::Meaning::ComponentImages},
                                                     {"instance_masks", ScriptOutput::Meaning::InstanceMasks}},
                                                    "");
        out.activation = choice<ScriptOutput::Activation>(output, "activation",
                                                          {{"none", ScriptOutput::Activation::None},
                                                           {"sigmoid", ScriptOutput::Activation::Sigmoid},
                                                           {"softmax", ScriptOutput::Activation::Softmax}},
                                                          "none");
        for (const QJsonValue name : output.value(QStringLiteral("names")).toArray()) {
            out.names << name.toString();
        }
        m_outputs.push_back(out);
    }
    if (m_outputs.empty()) throw UsageError(QStringLiteral("torchscript: %1 describes no outputs").arg(m_name));
    m_stamp = whole(json, "stamp", 0, 0, 4096);
    m_batch = whole(json, "batch", 32, 1, 4096);
    m_tile = whole(json, "tile", 384, 16, 4096);
    m_stride = whole(json, "stride", 1, 1, 1024);
    m_margin = whole(json, "margin", 0, 0, 2048);
    m_faintest = json.value(QStringLiteral("faintest")).toDouble(5.0);
    const bool ofScenes = hasOutput(ScriptOutput::Meaning::ClassPlanes);
    if (ofScenes && m_outputs.size() > 1)
        throw UsageError(
            QStringLiteral("torchscript: class planes are of scenes, all other outputs of stamps; %1 mixes "
                           "them")
                .arg(m_name));
    if (!ofScenes && m_stamp == 0)
        throw UsageError(QStringLiteral("torchscript: %1 must say how large its stamps are (\"stamp\")").arg(m_name));

    QFile program(QFileInfo(description).absoluteDir().filePath(json.value(QStringLiteral("model")).toString()));
    if (!program.open(QIODevice::ReadOnly))
        throw ReadError(QStringLiteral("%1 cannot be read: %2").arg(program.fileName(), program.errorString()));
    const QByteArray content = program.readAll();
    if (!trust::isTrusted(trust::digestOf(content)))
        throw UsageError(QStringLiteral("%1 is a program and was not trusted yet; if you know where it comes from: "
                                        "blend trust %1")
                             .arg(program.fileName()));
    try {
        std::istringstream stream(content.toStdString());
        m_module = torch::jit::load(stream, torch::Device(torch::kCPU));
        m_module.eval();
    } catch (const c10::Error& e) {
        throw ReadError(QStringLiteral("%1 is no TorchScript file: %2")
                            .arg(program.fileName(),
                                 QString::fromUtf8(e.what_without_backtrace()).section(QLatin1Char('\n'), 0, 0)));
    }
}

int ScriptModel::outputIndex(ScriptOutput::Meaning meaning) const {
    for (std::size_t i = 0; i < m_outputs.size(); ++i) {
        if (m_outputs[i].meaning == meaning) return static_cast<int>(i);
    }
    return -1;
}

void ScriptModel::moveTo(const torch::Device& device) {
    const std::lock_guard lock(m_mutex);
    m_module.to(device);
}

std::vector<torch::Tensor> ScriptModel::run(const torch::Tensor& input) {
    const std::lock_guard lock(m_mutex);
    const torch::NoGradGuard guard;
    std::vector<torch::Tensor> out;
    try {
        collect(m_module.forward({input}), out);
    } catch (const c10::OutOfMemoryError&) {
        throw;
    } catch (const std::exception& e) {
        // The last line of a TorchScript failure says what failed; those above, where.
        const QStringList lines = QString::fromUtf8(e.what()).split(QLatin1Char('\n'), Qt::SkipEmptyParts);
        QString reason = lines.isEmpty() ? QString() : lines.last();
        for (const QString& line : lines) {
            if (line.startsWith(QLatin1String("RuntimeError:"))) reason = line;
        }
        throw MethodError(QStringLiteral("the model %1 failed: %2").arg(m_name, reason));
    }
    if (out.size() != m_outputs.size())
        throw MethodError(QStringLiteral("the model %1 gave %2 tensors, and is described to give %3")
                              .arg(m_name)
                              .arg(out.size())
                              .arg(m_outputs.size()));
    for (std::size_t i = 0; i < out.size(); ++i) {
        const ScriptOutput::Meaning meaning = m_outputs[i].meaning;
        const std::int64_t axes = meaning == ScriptOutput::Meaning::CountProbabilities ? 2
                                  : meaning == ScriptOutput::Meaning::ComponentImages  ? 5
                                                                                       : 4;
        if (out[i].dim() != axes || out[i].size(0) != input.size(0))
            throw MethodError(QStringLiteral("output %1 of the model %2 has %3 axes of which the first has length %4; "
                                             "its meaning wants %5 and %6")
                                  .arg(i)
                                  .arg(m_name)
                                  .arg(out[i].dim())
                                  .arg(out[i].dim() > 0 ? out[i].size(0) : 0)
                                  .arg(axes)
                                  .arg(input.size(0)));
        out[i] = m_outputs[i].activated(out[i].to(torch::kFloat32));
    }
    return out;
}
