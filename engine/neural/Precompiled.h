#pragma once

// LibTorch's headers take half a minute to parse: once, here, for this library, for neural methods and for their tests.
#include <torch/torch.h>

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QString>
#include <QStringList>
#include <opencv2/core.hpp>
