#pragma once

#include <QJsonObject>
#include <QString>
#include <QStringList>
#include <cstdint>

namespace blendscope {

/// The recipe's "training": how weights are found. Keys are the members' names in snake_case.
struct TrainerOptions {
    QString optimizer =
        QStringLiteral("adamw"); ///< "adamw" (Loshchilov & Hutter 2019) or "sgd" (Nesterov momentum 0.9)
    double learningRate = 1e-3;  ///< at its height
    double finalRate = 0.02;     ///< share of it that the cosine ends at
    double weightDecay = 1e-4;   ///< of weights with two or more axes, not of biases and norms
    int batch = 32;              ///< samples a step
    long long steps = 10000;     ///< 0 = until `minutes` are over
    double minutes = 0.0;        ///< time budget, earlier runs included; 0 = none
    int warmUp = 200;            ///< steps over which the rate rises from 0
    double clip = 1.0;           ///< largest norm of the gradient; 0 = no limit
    double ema = 0.999;          ///< decay of the averaged weights, which are what is kept; 0 = none
    int validation = 512;        ///< samples of the fixed validation set
    int test = 1024;             ///< samples of the fixed test set, looked at once, at the end
    int validateEvery = 500;     ///< steps
    int patience = 0;            ///< validations without a better headline before it stops; 0 = never
    int curveEvery = 20;         ///< steps between two points of the training curve
    double checkpointMinutes = 5.0;
    std::uint64_t seed = 1;
    int workers = 0;           ///< threads that make samples; 0 = as many as compute
    bool halfPrecision = true; ///< weights stored as float16
    QString start; ///< folder of a model of the same network whose weights it begins with, relative to the method's
                   ///< own; empty = random

    /// Missing keys keep the values above. Throws UsageError that names the key.
    [[nodiscard]] static TrainerOptions fromJson(const QJsonObject& json);
    [[nodiscard]] QJsonObject toJson() const;
};

/// `given` over `defaults`, member by member, objects inside objects too. Arrays are replaced whole.
[[nodiscard]] QJsonObject completeRecipe(const QJsonObject& defaults, const QJsonObject& given);

/// Throws UsageError for a member that is not among `known`; `where` begins the sentence.
void checkRecipeKeys(const QJsonObject& json, const QString& where, const QStringList& known);

} // namespace blendscope
