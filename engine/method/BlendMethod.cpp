#include "method/BlendMethod.h"

#include "deblend/Apportion.h"
#include "jobs/TaskPool.h"
#include "measure/Measure.h"
#include "method/BlendCutter.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>
#include <numeric>

namespace blendscope {

namespace {

/// Hard division by the nearest peak: what remains where nothing was deblended.
BlendOutput nearestPeakOutput(const BlendInput& input) {
    BlendOutput output;
    output.labels = cv::Mat::zeros(input.box.size(), CV_32S);
    const int n = static_cast<int>(input.peaks.size());
    std::vector<Box> boxes(n);
    for (int y = 0; y < input.box.height; ++y) {
        const uchar* inside = input.inside.ptr<uchar>(y);
        int* label = output.labels.ptr<int>(y);
        for (int x = 0; x < input.box.width; ++x) {
            if (!inside[x]) continue;
            int best = 0;
            double bestDistance = std::numeric_limits<double>::max();
            for (int k = 0; k < n; ++k) {
                const double dx = input.peaks[k].x - (x + input.box.x0), dy = input.peaks[k].y - (y + input.box.y0);
                const double d = dx * dx + dy * dy;
                if (d < bestDistance) {
                    bestDistance = d;
                    best = k;
                }
            }
            label[x] = best + 1;
            boxes[best] = boxes[best].united({x + input.box.x0, y + input.box.y0, 1, 1});
        }
    }
    for (int k = 0; k < n; ++k) {
        BlendOutput::Child child;
        child.peak = input.peaks[k];
        child.box = boxes[k];
        if (child.box.empty()) {
            const int x = std::clamp(static_cast<int>(std::lround(child.peak.x)), input.box.x0, input.box.x1() - 1);
            const int y = std::clamp(static_cast<int>(std::lround(child.peak.y)), input.box.y0, input.box.y1() - 1);
            child.box = {x, y, 1, 1};
            child.flags |= FlagNoFlux;
        }
        const Box local = child.box.shifted(-input.box.x0, -input.box.y0);
        const cv::Mat others = output.labels(local.rect()) != k + 1;
        for (const cv::Mat& data : input.data) {
            cv::Mat model = cv::max(data(local.rect()), 0.0f);
            model.setTo(0.0f, others);
            child.model.push_back(model);
        }
        output.children.push_back(std::move(child));
    }
    return output;
}

bool fits(const BlendOutput& output, const BlendInput& input) {
    return std::all_of(output.children.begin(), output.children.end(), [&](const BlendOutput::Child& child) {
        if (child.model.size() != input.data.size()) return false;
        return std::all_of(child.model.begin(), child.model.end(), [&](const cv::Mat& m) {
            return m.size() == child.box.size() && m.type() == CV_32F && cv::checkRange(m);
        });
    });
}

/// Objects that own a pixel at the scene's border lose light there.
std::vector<bool> touchesEdge(const cv::Mat& labels, const Box& box, cv::Size scene, int count) {
    std::vector<bool> edge(count, false);
    const auto look = [&](int x, int y) {
        const int label = labels.at<int>(y, x);
        if (label > 0) edge[label - 1] = true;
    };
    for (int x = 0; x < box.width; ++x) {
        if (box.y0 == 0) look(x, 0);
        if (box.y1() == scene.height) look(x, box.height - 1);
    }
    for (int y = 0; y < box.height; ++y) {
        if (box.x0 == 0) look(0, y);
        if (box.x1() == scene.width) look(box.width - 1, y);
    }
    return edge;
}

/// Objects that own a pixel whose mask says that the detector was saturated there, in any band.
std::vector<bool> ownsSaturated(const cv::Mat& labels, const Box& box, const Scene& scene, int count) {
    std::vector<bool> saturated(count, false);
    for (const Band& band : scene.bands) {
        const int bits = band.saturatedBits();
        if (!band.mask || bits == 0) continue;
        const cv::Mat mask = band.mask->read(box);
        for (int y = 0; y < box.height; ++y) {
            const int* m = mask.ptr<int>(y);
            const int* label = labels.ptr<int>(y);
            for (int x = 0; x < box.width; ++x) {
                if (label[x] > 0 && (m[x] & bits)) saturated[label[x] - 1] = true;
            }
        }
    }
    return saturated;
}

} // namespace

void BlendMethod::prepare(const Scene&, const Parameters&, MethodContext&) {}

Result BlendMethod::run(const Scene& scene, Result input, const Parameters& parameters, MethodContext& context) {
    Result result = std::move(input);
    // What an earlier stage counted stays; all else of a blend is this method's.
    std::map<int, Blend> counted;
    for (Blend& blend : result.blends) {
        if (!blend.countProbabilities.empty()) counted.emplace(blend.id, std::move(blend));
    }
    result.components.clear();
    result.objects.clear();
    result.blends.clear();
    result.segmentation = cv::Mat::zeros(scene.size, CV_32S);

    const std::vector<Footprint>& footprints = result.footprints;
    const int count = static_cast<int>(footprints.size());
    // Ids are known before any blend is done, so that partial and final results agree.
    std::vector<int> firstId(count + 1, 1);
    for (int i = 0; i < count; ++i) {
        firstId[i + 1] = firstId[i] + static_cast<int>(footprints[i].peaks.size());
    }
    // Given positions name their objects themselves; what a method adds must not take such a name.
    int extraId = firstId[count];
    for (const Footprint& footprint : footprints) {
        for (const Peak& peak : footprint.peaks) {
            extraId = std::max(extraId, peak.position + 2);
        }
    }
    std::vector<int> order(count);
    std::iota(order.begin(), order.end(), 0);
    const auto cost = [&](int i) { return double(footprints[i].peaks.size()) * double(footprints[i].box.area()); };
    // The costliest first: the last one to finish is then a cheap one.
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return cost(a) > cost(b); });

    context.progress->begin(QStringLiteral("deblending"), count);
    prepare(scene, parameters, context);
    const BlendCutter cutter(scene, result);
    std::vector<BlendResult> done(count);
    std::vector<char> finished(count, 0);

    const auto one = [&](int rank) {
        const int i = order[rank];
        const Footprint& footprint = footprints[i];
        const auto start = std::chrono::steady_clock::now();
        const BlendInput blendInput = cutter.cut(footprint);
        BlendOutput output;
        const auto skip = [&](const QString& why) {
            output = nearestPeakOutput(blendInput);
            output.flags |= FlagSkipped;
            for (BlendOutput::Child& child : output.children) {
                child.flags |= FlagSkipped;
            }
            output.message = QStringLiteral("not deblended: %1; its pixels went to the nearest peak").arg(why);
        };
        try {
            output = deblend(blendInput, parameters, context);
            if (output.children.empty() && !footprint.peaks.empty()) {
                skip(output.message.isEmpty() ? QStringLiteral("the method gave no objects") : output.message);
            } else if (!fits(output, blendInput)) {
                skip(QStringLiteral("the method gave models that are not finite or do not fit their boxes"));
            }
        } catch (const CancelledError&) {
            throw;
        } catch (const std::exception& e) {
            skip(QString::fromUtf8(e.what()));
        }

        BlendResult& r = done[i];
        const int children = static_cast<int>(output.children.size());
        const int peaks = static_cast<int>(footprint.peaks.size());
        cv::Mat labels = output.labels.empty() ? dominantLabels(blendInput, output) : output.labels;
        const std::vector<bool> edge = touchesEdge(labels, blendInput.box, scene.size, children);
        const std::vector<bool> saturated = ownsSaturated(labels, blendInput.box, scene, children);
        if (!output.labels.empty()) labels = labels.clone();
        trimLabels(blendInput, output, labels);
        std::vector<int> ids(children);
        r.objects.resize(children);
        for (int k = 0; k < children; ++k) {
            const BlendOutput::Child& child = output.children[k];
            Object& object = r.objects[k];
            // Objects beyond the peaks (a method that finds more) get their final ids when all blends are done.
            ids[k] = k < peaks ? firstId[i] + k : extraId + i * 1000 + (k - peaks);
            if (child.peak.position >= 0) ids[k] = child.peak.position + 1;
            object.id = ids[k];
            object.parent = footprint.id;
            object.position = child.peak.position;
            object.x = object.peakX = child.peak.x;
            object.y = object.peakY = child.peak.y;
            object.significance = child.peak.significance;
            object.flags = child.flags | (output.flags & (FlagSkipped | FlagNotConverged | FlagTooManyChildren));
            if (children > 1) object.flags |= FlagBlended;
            if (edge[k]) object.flags |= FlagEdge;
            if (saturated[k]) object.flags |= FlagSaturated;
            object.note = child.note;
            object.extra = child.extra;
            if (std::isfinite(child.hlr)) object.hlr = static_cast<float>(child.hlr);
            object.bands.resize(scene.bands.size());
            r.blend.objects.push_back(ids[k]);
        }
        r.blend.id = footprint.id;
        r.blend.box = footprint.box;
        r.blend.flags = output.flags;
        r.blend.message = output.message;
        if (const auto before = counted.find(footprint.id); before != counted.end()) {
            r.blend.countProbabilities = before->second.countProbabilities;
            r.blend.countSpread = before->second.countSpread;
        }
        r.blend.iterations = output.iterations;
        r.blend.candidates = output.candidates;
        for (SourceCandidate& c : r.blend.candidates) {
            c.object = c.object > 0 && c.object <= children ? ids[c.object - 1] : 0;
        }
        r.components = apportion(blendInput, output, ids);
        measureBlend(blendInput, output, r.components, r.objects, r.blend);
        for (Object& object : r.objects) {
            if (const auto sky = scene.wcs.toSky(object.x, object.y)) {
                object.ra = sky->ra;
                object.dec = sky->dec;
            }
            r.blend.flags |= object.flags & (FlagEdge | FlagSaturated | FlagMasked);
        }
        r.box = blendInput.box;
        r.labels = cv::Mat::zeros(labels.size(), CV_32S);
        for (int y = 0; y < labels.rows; ++y) {
            const int* from = labels.ptr<int>(y);
            int* to = r.labels.ptr<int>(y);
            for (int x = 0; x < labels.cols; ++x) {
                if (from[x] > 0 && from[x] <= children) to[x] = ids[from[x] - 1];
            }
        }
        r.blend.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        finished[i] = 1;
        if (context.publish) context.publish(r);
        context.progress->advance();
    };
    try {
        TaskPool::shared().parallelFor(count, one, context.threads);
    } catch (const CancelledError&) {
        result.complete = false;
    }

    int extra = 0;
    for (int i = 0; i < count; ++i) {
        if (!finished[i]) continue;
        BlendResult& r = done[i];
        const int peaks = static_cast<int>(footprints[i].peaks.size());
        for (std::size_t k = 0; k < r.objects.size(); ++k) {
            if (static_cast<int>(k) < peaks || r.objects[k].position >= 0) continue;
            const int from = r.objects[k].id, to = extraId + extra++;
            r.objects[k].id = r.components[k].id = r.blend.objects[k] = to;
            r.labels.setTo(to, r.labels == from);
            for (SourceCandidate& c : r.blend.candidates) {
                if (c.object == from) c.object = to;
            }
            for (FluxCovariance& c : r.blend.covariances) {
                if (c.idA == from) c.idA = to;
                if (c.idB == from) c.idB = to;
            }
        }
        cv::Mat view = result.segmentation(r.box.rect());
        r.labels.copyTo(view, r.labels != 0);
        result.blends.push_back(std::move(r.blend));
        std::move(r.objects.begin(), r.objects.end(), std::back_inserter(result.objects));
        std::move(r.components.begin(), r.components.end(), std::back_inserter(result.components));
    }
    const auto byId = [](const auto& a, const auto& b) { return a.id < b.id; };
    std::sort(result.blends.begin(), result.blends.end(), byId);
    std::sort(result.objects.begin(), result.objects.end(), byId);
    std::sort(result.components.begin(), result.components.end(), byId);
    return result;
}

} // namespace blendscope
