#pragma once

// All building blocks of networks.
#include "neural/ConvBlock.h"
#include "neural/Fpn.h"
#include "neural/McDropout.h"
#include "neural/Norm.h"
#include "neural/ResNet.h"
#include "neural/UNet.h"
