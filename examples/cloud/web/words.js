// Every word of the page, in two languages. A test checks that both have the same keys.
export const WORDS = {
  en: {
    overview: 'Overview', alarms: 'Alarms', orders: 'Orders', system: 'System', menu: 'Menu', skip: 'Skip to content',
    signIn: 'Sign in', signOut: 'Sign out', name: 'Name', password: 'Password', signInLead: 'Energy, water and credit of your site, live.',
    language: '中文', languageLabel: 'Switch to Chinese', theme: 'Light or dark', loading: 'Loading …',
    now: 'Now', today: 'Today', cost: 'Cost today', register: 'Register', delivered: 'Fed in today', exportRegister: 'Fed in, register', balance: 'Balance', relay: 'Supply',
    relayOpen: 'Off', relayClosed: 'On', relayUnknown: 'Not reported', prepaid: 'Prepaid', billed: 'By bill',
    electricity: 'Electricity', water: 'Water', gateway: 'Gateway', flow: 'Flow', power: 'Power',
    totalPower: 'Power of all meters', totalNow: 'Drawn now', exportNow: 'Fed in now', totalToday: 'Used today', costToday: 'Cost today', openAlarms: 'Open alarms',
    buy: 'Buy credit', buyTitle: 'Buy credit for {0}', amount: 'Amount', balanceNow: 'Balance now', balanceAfter: 'About, after', confirmBuy: 'Buy {0}',
    buyExplain: 'A sealed order of {0} goes to this meter. If the supply is off for lack of credit, the meter switches it on again.',
    cancel: 'Cancel', close: 'Close', done: 'Done', details: 'Details', back: 'Back',
    sealed: 'Seal verified', sealedLong: 'This value was sealed inside the meter and the seal was checked here.', unsealed: 'Not sealed', seal: 'Seal',
    offline: 'Offline', online: 'Live', stale: 'last heard {0}', never: 'not heard yet', reconnecting: 'Connection lost. Showing the last known state; trying again …',
    points: 'All readings', point: 'Reading', value: 'Value', time: 'Time', lastHour: 'Last hour', last6: '6 hours', lastDay: '24 hours', week: '7 days',
    period: 'Period', powerChart: 'Power', flowChart: 'Flow', noData: 'No values in this period yet.', bill: 'Today’s bill', billUntil: 'Priced from sealed readings up to {0}', rate: 'Rate', energy: 'Energy', price: 'Price', sum: 'Amount', total: 'Total', tier: 'tier {0}',
    open: 'Switch off', closeRelay: 'Switch on', openAsk: 'Switch off the supply of {0}?', closeAsk: 'Switch on the supply of {0}?',
    openExplain: 'The relay of {0} opens and everything behind it loses power until somebody switches it on again.',
    closeExplain: 'The relay of {0} closes and what is connected there may start at once. Make sure nobody works on it.',
    confirmOpen: 'Yes, switch off', confirmClose: 'Yes, switch on', state: 'State', who: 'By', number: 'No.', order: 'Order', device: 'Meter',
    made: 'Waiting', sent: 'Sent, waiting for the meter', done_state: 'Done', refused: 'Refused', expired: 'No answer in time',
    recharge: 'Credit {0}', open_kind: 'Switch off', close_kind: 'Switch on', permit_close: 'Permit switching on', keep_power: 'Keep power on', end_keep_power: 'End keeping power on',
    orderSent: 'Order {0} is on its way.', orderDone: 'The meter confirmed order {0}.', orderRefused: 'The meter refused order {0}: {1}', orderExpired: 'No answer to order {0} in time.', inFlight: 'Order {0} on its way …', recentOrders: 'Orders', noOrders: 'No orders yet.',
    alarm_overload: 'Overload', alarm_over_voltage: 'Over-voltage', alarm_under_voltage: 'Under-voltage', alarm_low_credit: 'Low credit', alarm_credit_empty: 'Credit used up', alarm_overdraft: 'On overdraft', alarm_offline: 'Not heard', alarm_relay_open: 'Supply is off', alarm_relay_opened: 'Relay opened', alarm_relay_closed: 'Relay closed', alarm_outage: 'Outage', alarm_phase_loss: 'Phase missing', alarm_cover: 'Cover opened', alarm_terminal_cover: 'Terminal cover opened', alarm_magnet: 'Magnetic field', alarm_reversal: 'Reverse flow', alarm_order_refused: 'Order refused', alarm_link_down: 'Cores do not talk', alarm_device_silent: 'Meter does not answer',
    active: 'Active', cleared: 'Cleared', acknowledged: 'Acknowledged by {0}', acknowledge: 'Acknowledge', comment: 'Comment', commentHint: 'What you found or will do', since: 'Since {0}', limit: 'limit {0}', noAlarms: 'Nothing is wrong.', noAlarmsLead: 'Alarms of your meters appear here the moment they happen.', history: 'History',
    noMeters: 'No meters yet.', noMetersLead: 'Register one with “cloud provision”; it appears here with its first reading.',
    counts: 'Messages', sealedRecords: 'Sealed records', records: 'Records', boot: 'Boot', first: 'First', last: 'Last', refusals: 'Last refusals', noRefusals: 'Nothing was refused.', audit: 'Who did what', action: 'Action', object: 'Object', detail: 'Detail',
    error: 'Something went wrong', retry: 'Try again', network: 'The server cannot be reached. Check the connection and try again.', notFound: 'There is no such meter.',
    n_connections: 'Connections', n_refused_logins: 'Refused logins', n_refused_topics: 'Refused topics', n_records: 'Records stored', n_repeats: 'Repeats dropped', n_reused_names: 'Names used twice', n_given_up: 'Numbers given up', n_sealed_blocks: 'Sealed blocks', n_bad_topics: 'Wrong places', n_bad_envelopes: 'Broken envelopes', n_bad_messages: 'Bad messages', n_bad_sealed_blocks: 'Broken seals', n_bad_answers: 'Bad answers', n_unknown_devices: 'Unknown devices', n_refused_requests: 'Refused requests', n_broken_requests: 'Broken requests', n_broken_packets: 'Broken packets',
    speed: 'Clock × {0}', siteTime: 'Site time UTC{0}', severity: 'Severity {0}', ago_s: '{0} s ago', ago_m: '{0} min ago', ago_h: '{0} h ago', keptLow: 'Low',
  },
  zh: {
    overview: '总览', alarms: '告警', orders: '订单', system: '系统', menu: '菜单', skip: '跳到内容',
    signIn: '登录', signOut: '退出', name: '用户名', password: '密码', signInLead: '实时查看用电、用水与余额。',
    language: 'English', languageLabel: '切换到英文', theme: '浅色或深色', loading: '加载中……',
    now: '当前', today: '今日', cost: '今日费用', register: '表底', delivered: '今日上网', exportRegister: '反向表底', balance: '余额', relay: '供电',
    relayOpen: '已断电', relayClosed: '供电中', relayUnknown: '未上报', prepaid: '预付费', billed: '后付费',
    electricity: '电', water: '水', gateway: '网关', flow: '流量', power: '功率',
    totalPower: '全部电表功率', totalNow: '当前用电', exportNow: '当前上网', totalToday: '今日用电', costToday: '今日费用', openAlarms: '未恢复告警',
    buy: '充值', buyTitle: '为 {0} 充值', amount: '金额', balanceNow: '当前余额', balanceAfter: '充值后约', confirmBuy: '充值 {0}',
    buyExplain: '将向该表下发一条 {0} 的加密充值指令。若因欠费断电，电表会自动恢复供电。',
    cancel: '取消', close: '关闭', done: '完成', details: '详情', back: '返回',
    sealed: '封签已验证', sealedLong: '该值在电表内加封，平台已验证封签。', unsealed: '未加封', seal: '封签',
    offline: '离线', online: '实时', stale: '最近通信 {0}', never: '尚未通信', reconnecting: '连接中断，显示最后已知状态，正在重连……',
    points: '全部读数', point: '读数', value: '数值', time: '时间', lastHour: '最近一小时', last6: '6 小时', lastDay: '24 小时', week: '7 天',
    period: '时段', powerChart: '功率', flowChart: '流量', noData: '该时段还没有数据。', bill: '今日账单', billUntil: '按截至 {0} 的加封读数计价', rate: '费率', energy: '电量', price: '单价', sum: '金额', total: '合计', tier: '第 {0} 档',
    open: '断电', closeRelay: '送电', openAsk: '要断开 {0} 的供电吗？', closeAsk: '要恢复 {0} 的供电吗？',
    openExplain: '{0} 的继电器将断开，其后所有设备失电，直到有人重新送电。',
    closeExplain: '{0} 的继电器将闭合，所接设备可能立即启动。请确认无人正在作业。',
    confirmOpen: '确认断电', confirmClose: '确认送电', state: '状态', who: '操作人', number: '编号', order: '指令', device: '表计',
    made: '等待下发', sent: '已下发，等待电表', done_state: '已完成', refused: '被拒绝', expired: '超时未应答',
    recharge: '充值 {0}', open_kind: '断电', close_kind: '送电', permit_close: '允许合闸', keep_power: '保电', end_keep_power: '解除保电',
    orderSent: '指令 {0} 已发出。', orderDone: '电表已确认指令 {0}。', orderRefused: '电表拒绝指令 {0}：{1}', orderExpired: '指令 {0} 超时未应答。', inFlight: '指令 {0} 执行中……', recentOrders: '指令', noOrders: '还没有指令。',
    alarm_overload: '过载', alarm_over_voltage: '过压', alarm_under_voltage: '欠压', alarm_low_credit: '余额不足', alarm_credit_empty: '余额用尽', alarm_overdraft: '透支中', alarm_offline: '通信中断', alarm_relay_open: '已断电', alarm_relay_opened: '继电器断开', alarm_relay_closed: '继电器闭合', alarm_outage: '停电', alarm_phase_loss: '缺相', alarm_cover: '开盖', alarm_terminal_cover: '开端钮盖', alarm_magnet: '磁场干扰', alarm_reversal: '潮流反向', alarm_order_refused: '指令被拒', alarm_link_down: '双芯通信中断', alarm_device_silent: '表计无应答',
    active: '未恢复', cleared: '已恢复', acknowledged: '{0} 已确认', acknowledge: '确认', comment: '备注', commentHint: '现场情况或处理计划', since: '自 {0}', limit: '限值 {0}', noAlarms: '一切正常。', noAlarmsLead: '表计一有告警就会显示在这里。', history: '历史',
    noMeters: '还没有表计。', noMetersLead: '用“cloud provision”登记表计，首次上报后即显示。',
    counts: '报文', sealedRecords: '加封记录', records: '条数', boot: '启动次数', first: '首号', last: '末号', refusals: '最近拒绝', noRefusals: '没有被拒绝的报文。', audit: '操作记录', action: '操作', object: '对象', detail: '说明',
    error: '出错了', retry: '重试', network: '无法连接服务器，请检查网络后重试。', notFound: '没有这块表。',
    n_connections: '连接', n_refused_logins: '拒绝登录', n_refused_topics: '拒绝主题', n_records: '入库记录', n_repeats: '重复丢弃', n_reused_names: '重号记录', n_given_up: '放弃编号', n_sealed_blocks: '加封数据块', n_bad_topics: '主题错误', n_bad_envelopes: '信封无效', n_bad_messages: '报文错误', n_bad_sealed_blocks: '封签无效', n_bad_answers: '应答错误', n_unknown_devices: '未知设备', n_refused_requests: '拒绝请求', n_broken_requests: '无效请求', n_broken_packets: '无效数据包',
    speed: '时钟 × {0}', siteTime: '站点时间 UTC{0}', severity: '级别 {0}', ago_s: '{0} 秒前', ago_m: '{0} 分钟前', ago_h: '{0} 小时前', keptLow: '不足',
  },
};

let lang = localStorage.getItem('lang') ?? (navigator.language.startsWith('zh') ? 'zh' : 'en');

/** @returns {'en'|'zh'} */
export const language = () => lang;

/** @param {'en'|'zh'} next */
export function setLanguage(next) {
  lang = next;
  localStorage.setItem('lang', next);
  document.documentElement.lang = next === 'zh' ? 'zh-CN' : 'en';
}
setLanguage(lang);

/** The word for a key, with {0}, {1} … filled in. @param {string} key @param {...unknown} values */
export function t(key, ...values) {
  const text = WORDS[lang][key] ?? WORDS.en[key] ?? key;
  return text.replace(/\{(\d)\}/g, (_, at) => String(values[at] ?? ''));
}
