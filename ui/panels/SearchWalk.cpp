#include "panels/SearchWalk.h"

#include "theme/Icons.h"
#include "theme/Theme.h"

#include <QApplication>
#include <QHBoxLayout>
#include <QLabel>
#include <QPointer>
#include <QToolButton>
#include <QVBoxLayout>
#include <algorithm>

namespace blendscope {

SearchWalk::SearchWalk(QWidget* parent)
    : QWidget(parent), m_title(new QLabel), m_text(new QLabel), m_back(new QToolButton), m_forward(new QToolButton) {
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(4);
    auto* line = new QHBoxLayout;
    line->setSpacing(2);
    const auto set = [this, line](QToolButton* b, const char* icon, const QString& tip, int states) {
        b->setIcon(themeIcon(QLatin1String(icon)));
        b->setToolTip(tip);
        b->setAccessibleName(tip);
        b->setAutoRaise(true);
        connect(b, &QToolButton::clicked, this, [this, states] { walk(states); });
        line->addWidget(b);
    };
    set(m_back, "previous", tr("One source less: the search a state earlier ([)"), -1);
    set(m_forward, "next", tr("One source more: the search a state later (])"), 1);
    line->addWidget(m_title, 1);
    layout->addLayout(line);
    m_text->setWordWrap(true);
    m_text->setTextFormat(Qt::RichText);
    m_text->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::LinksAccessibleByMouse);
    layout->addWidget(m_text);
    connect(m_text, &QLabel::linkActivated, this, [this](const QString& link) {
        const int number = link.section(QLatin1Char(':'), 1).toInt();
        if (link.startsWith(QLatin1String("object"))) {
            Q_EMIT objectClicked(number);
            return;
        }
        m_chosen = m_chosen == number ? 0 : number;
        refreshTexts();
        Q_EMIT changed();
    });
}

SearchWalk::~SearchWalk() {
    m_cancel.cancel();
}

bool SearchWalk::hasSearch() const {
    const Blend* blend = m_result ? m_result->blend(m_blend) : nullptr;
    return blend && !blend->candidates.empty();
}

void SearchWalk::setBlend(const ScenePtr& scene, const ResultPtr& result, int blendId) {
    if (scene == m_scene && result == m_result && blendId == m_blend) return;
    m_cancel.cancel();
    ++m_request;
    m_scene = scene;
    m_result = result;
    m_blend = blendId;
    m_state = m_wanted = -1;
    m_chosen = 0;
    m_waiting = false;
    m_problem.clear();
    m_steps.reset();
    refreshTexts();
}

ResultPtr SearchWalk::shown() const {
    return m_steps && m_state >= 0 ? (*m_steps)[std::size_t(m_state)].result : nullptr;
}

void SearchWalk::walk(int states) {
    if (!hasSearch() || m_waiting) return;
    if (!m_steps) {
        m_wanted = states > 0 ? 0 : -2; // from the front, or from the back
        compute();
        return;
    }
    const int count = int(m_steps->size());
    // The result as it is lies between the last state and the first.
    m_state = (m_state + 1 + states % (count + 1) + count + 1) % (count + 1) - 1;
    m_chosen = 0;
    refreshTexts();
    Q_EMIT changed();
}

void SearchWalk::compute() {
    m_waiting = true;
    m_cancel = CancelToken();
    const std::uint64_t number = ++m_request;
    const QPointer<SearchWalk> self(this);
    refreshTexts();
    m_task.request([self, number, scene = m_scene, result = m_result, blend = m_blend, token = m_cancel] {
        auto steps = std::make_shared<std::vector<SearchStep>>();
        QString problem;
        try {
            Progress progress(token);
            *steps = searchSteps(*scene, *result, blend, progress);
        } catch (const std::exception& e) {
            problem = QString::fromUtf8(e.what());
        }
        QMetaObject::invokeMethod(
            qApp,
            [self, number, steps, problem] {
                if (!self || number != self->m_request) return;
                self->m_waiting = false;
                self->m_problem = problem;
                if (!steps->empty()) {
                    self->m_steps = steps;
                    self->m_state = self->m_wanted == -2 ? int(steps->size()) - 1 : 0;
                }
                self->refreshTexts();
                Q_EMIT self->changed();
            },
            Qt::QueuedConnection);
    });
}

std::map<int, PictureBoard::Label> SearchWalk::marks() const {
    std::map<int, PictureBoard::Label> out;
    if (!m_steps || m_state < 0) return out;
    int i = 0;
    for (const SourceCandidate& c : (*m_steps)[std::size_t(m_state)].rejected) {
        ++i;
        const QColor color = i == m_chosen ? Theme::colors().accent : QColor(200, 200, 200);
        out[-i] = {QString::number(i), color, {c.x, c.y}, c.reason};
    }
    return out;
}

QString SearchWalk::words() const {
    return m_title->text() + QLatin1Char('\n') + m_text->text();
}

void SearchWalk::refreshTexts() {
    const bool search = hasSearch();
    m_back->setEnabled(search && !m_waiting);
    m_forward->setEnabled(search && !m_waiting);
    const Blend* blend = search ? m_result->blend(m_blend) : nullptr;
    if (!blend) {
        m_title->clear();
        m_text->clear();
        return;
    }
    if (m_waiting) {
        m_title->setText(tr("Fitting the states of the search \u2026"));
        return;
    }
    const auto place = [](const SourceCandidate& c, const QString& link) {
        return QStringLiteral("<a href='%1'>(%2, %3)</a>").arg(link).arg(c.x, 0, 'f', 1).arg(c.y, 0, 'f', 1);
    };
    QStringList lines;
    if (!m_problem.isEmpty()) lines << m_problem.toHtmlEscaped();
    if (m_state < 0 || !m_steps) {
        const auto added = std::count_if(blend->candidates.begin(), blend->candidates.end(),
                                         [](const SourceCandidate& c) { return c.object > 0; });
        const auto rejected = std::ptrdiff_t(blend->candidates.size()) - added;
        m_title->setText(tr("As in the catalogue"));
        lines << (added == 1 ? tr("The search added one source") : tr("The search added %1 sources").arg(added)) +
                     (rejected == 1 ? tr(" and rejected one place.") : tr(" and rejected %1 places.").arg(rejected));
    } else {
        const SearchStep& step = (*m_steps)[std::size_t(m_state)];
        m_title->setText(tr("State %1 of %2: %3")
                             .arg(m_state + 1)
                             .arg(m_steps->size())
                             .arg(step.objects == 1 ? tr("one source") : tr("%1 sources").arg(step.objects)));
        QString first;
        if (step.added > 0) {
            first = tr("<a href='object:%1'>Object %1</a> was added: %2. ")
                        .arg(step.added)
                        .arg(step.evidence.reason.toHtmlEscaped());
        }
        lines << first + tr("\u03c7\u00b2 %1.").arg(step.chiSquare, 0, 'f', 0);
        int i = 0;
        for (const SourceCandidate& c : step.rejected) {
            ++i;
            const bool bold = i == m_chosen;
            lines << (bold ? QStringLiteral("<b>") : QString()) +
                         tr("\u00d7 %1 rejected: %2.")
                             .arg(place(c, QStringLiteral("rejected:%1").arg(i)), c.reason.toHtmlEscaped()) +
                         (bold ? QStringLiteral("</b>") : QString());
        }
    }
    m_text->setText(lines.join(QStringLiteral("<br>")));
}

} // namespace blendscope
