#include "studio/page_css.h"

#include "studio/page.h"

const char page_security_policy[] =
    "default-src 'none'; "
    "style-src 'sha256-hLfSjHiFCZKQXSkDjwY9H56Cj23YHJ2hHAfGbkGccTY='; "
    "img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/*
 * In parts, since a compiler need not take a literal of more than 4,095 bytes. All pairs of colours
 * that carry text have a contrast of at least 4.5 to 1 (WCAG AA), in light and in dark.
 */
static const char *const page_css_parts[] = {
    /* Colours and the frame. */
    ":root{color-scheme:light dark;--bg:#f7f5f3;--card:#fff;--line:#e0dbd6;--ink:#211d20;"
    "--soft:#655d62;--tint:#f5eaf1;--accent:#7a3562;--ok:#1d6b3f;--bad:#a92b2b;--busy:#245fa8;"
    "--rail:#cdc6c1}\n"
    "@media(prefers-color-scheme:dark){:root{--bg:#171517;--card:#211e21;--line:#39343a;"
    "--ink:#eeeaec;--soft:#ada4aa;--tint:#35232f;--accent:#e2a6cb;--ok:#7fce9c;--bad:#f39a92;"
    "--busy:#92bdf2;--rail:#4b454b}}\n"
    "*,::before,::after{box-sizing:border-box}\n"
    "html{-webkit-text-size-adjust:100%;text-size-adjust:100%}\n"
    "body{margin:0 auto;max-width:46rem;min-height:100vh;padding:0 1.25rem;display:flex;"
    "flex-direction:column;background:var(--bg);color:var(--ink);overflow-wrap:anywhere;"
    "font:1rem/1.6 system-ui,-apple-system,\"Segoe UI\",Roboto,\"Noto Sans\",sans-serif}\n"
    "main{flex:1;padding-bottom:2rem}\n"
    "p,dl,dd,ol{margin:0;padding:0}\n"
    "body>header{display:flex;flex-wrap:wrap;gap:.25rem 1rem;justify-content:space-between;"
    "align-items:center;padding:1.1rem 0;margin-bottom:1.75rem;"
    "border-bottom:1px solid var(--line)}\n"
    ".brand{font-weight:650;letter-spacing:-.01em;display:flex;align-items:center}\n"
    ".brand::before{content:\"\";flex:none;width:.85em;height:.85em;margin-inline-end:.85em;"
    "border-radius:50%;background:var(--accent);"
    "box-shadow:.42em 0 0 -.06em color-mix(in srgb,var(--accent) 45%,var(--bg))}\n"
    ".workspace,footer,.note,time,.kind{color:var(--soft);font-size:.875rem}\n"
    "footer{padding:1.1rem 0 1.5rem;border-top:1px solid var(--line)}\n",

    /* Text. */
    "h1{margin:0 0 1.5rem;font-size:clamp(1.45rem,1.1rem + 1.8vw,2rem);line-height:1.2;"
    "font-weight:680;letter-spacing:-.018em;text-wrap:balance}\n"
    ".kind{margin-bottom:.35rem;letter-spacing:.01em}\n"
    "h2{margin:0 0 .75rem;font-size:1rem;font-weight:650;letter-spacing:-.005em}\n"
    "code{font:.9em ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}\n"
    ".text{white-space:pre-wrap;unicode-bidi:plaintext}\n"
    ".text br{display:none}\n"
    "a{color:var(--accent);text-underline-offset:.2em;text-decoration-thickness:.07em}\n"
    "a:hover{text-decoration-thickness:.14em}\n"
    "a:focus-visible{outline:2px solid;outline-offset:3px;border-radius:2px}\n"
    "time{font-variant-numeric:tabular-nums}\n"
    ".card{padding:1.15rem 1.35rem 1.3rem;margin-bottom:1rem;background:var(--card);"
    "border:1px solid var(--line);border-radius:12px}\n"
    "h1+.remix{margin:-.9rem 0 1.5rem}\n"
    "dl{display:grid;gap:.5rem}\n"
    "dl div{display:grid;grid-template-columns:6.5rem 1fr;gap:1rem}\n"
    "dt{color:var(--soft)}\n"
    "dd time{color:inherit;font-size:inherit}\n"
    ".facts{display:flex;flex-wrap:wrap;gap:.25rem 1.75rem;margin-top:1.25rem;font-size:.875rem}\n"
    ".facts div{display:flex;gap:.5rem}\n"
    ".facts dt{flex:none}\n",

    /* The conversation. */
    ".chat{display:grid;gap:1rem}\n"
    ".message{padding:1rem 1.25rem 1.15rem;border:1px solid var(--line);border-radius:16px;"
    "background:var(--card);min-width:0}\n"
    ".user{justify-self:end;max-width:88%;background:var(--tint);border-color:transparent;"
    "border-end-end-radius:5px}\n"
    ".studio{border-end-start-radius:5px}\n"
    ".message header{display:flex;flex-wrap:wrap;gap:.15rem .9rem;align-items:center;"
    "margin-bottom:.4rem}\n"
    ".who{font-weight:650;font-size:.9375rem}\n"
    ".badge{padding:.05rem .6rem;border:1px solid;border-radius:1rem;font-size:.8125rem;"
    "font-weight:600;color:var(--soft)}\n"
    ".badge.processing{color:var(--busy)}\n"
    ".badge.completed{color:var(--ok)}\n"
    ".badge.failed{color:var(--bad)}\n"
    ".result{margin-top:1.25rem;font-size:1.0625rem}\n"
    ".result a{font-weight:650}\n"
    ".error{margin-top:1.25rem;padding-inline-start:.9rem;border-inline-start:3px solid var(--bad)}"
    "\n"
    ".error code{color:var(--soft)}\n"
    ".studio>.note{margin-top:1.25rem}\n"
    ".card .steps{margin-bottom:1.1rem}\n",

    /* The progress line: a dot for each step (::before) and the way to the next one (::after). */
    ".steps{display:grid;grid-template-columns:repeat(3,1fr);list-style:none;margin-top:1.1rem}\n"
    ".steps li{position:relative;padding:1.5rem .75rem 0 0;--dot:var(--rail);--way:var(--rail)}\n"
    ".step{display:block;font-weight:600;line-height:1.4}\n"
    ".steps time,.steps .note{font-size:.8125rem}\n"
    ".steps li::before{content:\"\";position:absolute;z-index:1;top:.1rem;left:0;width:.9rem;"
    "height:.9rem;border:2px solid var(--dot);border-radius:50%;background:var(--card)}\n"
    ".steps li:not(:last-child)::after{content:\"\";position:absolute;top:calc(.55rem - 1px);"
    "left:1.2rem;right:.3rem;height:2px;border-radius:1px;background:var(--way)}\n"
    ".steps .done{--dot:var(--accent);--way:var(--accent)}\n"
    ".steps .now{--dot:var(--busy)}\n"
    ".steps .completed{--dot:var(--ok)}\n"
    ".steps .failed{--dot:var(--bad)}\n"
    ".steps .cancelled{--dot:var(--soft)}\n"
    ".steps .done::before,.steps .completed::before,.steps .failed::before,"
    ".steps .cancelled::before{background:var(--dot)}\n"
    ".next .step,.skip .step{color:var(--soft);font-weight:400}\n"
    ".now .step{color:var(--busy)}\n"
    ".steps .skip::before{border-style:dashed}\n"
    "@media(max-width:34rem){.steps{grid-template-columns:1fr;--turn:180deg}"
    ".steps li{padding:0 0 .9rem 1.6rem}.steps li:last-child{padding-bottom:0}"
    ".steps li::before{top:.25rem}"
    ".steps li:not(:last-child)::after{top:1.4rem;bottom:0;left:calc(.45rem - 1px);right:auto;"
    "width:2px;height:auto}.user{max-width:100%}dl div{grid-template-columns:1fr;gap:0}}\n",

    /* Both animations fit into the two seconds between reloads, so that none of them jumps. */
    "@media(prefers-reduced-motion:no-preference){"
    ".steps .now::before{animation:pulse 2s ease-in-out infinite}"
    ".steps .now:nth-child(2)::after{background:linear-gradient(var(--turn,90deg),var(--way) 30%,"
    "var(--busy) 50%,var(--way) 70%) 100% 100%/300% 300%;animation:flow 2s linear infinite}}\n"
    "@keyframes pulse{50%{box-shadow:0 0 0 .3rem color-mix(in srgb,var(--dot) 25%,transparent)}}\n"
    "@keyframes flow{to{background-position:0 0}}\n",
};

void page_css_append(struct buf *out)
{
    for (size_t i = 0; i < sizeof page_css_parts / sizeof *page_css_parts; i++)
        buf_puts(out, page_css_parts[i]);
}
