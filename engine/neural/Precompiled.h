#pragma once

// LibTorch's headers take half a minute to parse: once, here.
#include <torch/torch.h>
