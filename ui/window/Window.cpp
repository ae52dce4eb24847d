namespace blendscope {}
